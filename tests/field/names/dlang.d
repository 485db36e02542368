// SPDX-License-Identifier: GPL-2.0-only OR MIT
// field: names of D, shown as c++filt -s dlang shows them
// build: gdc -g -O1 -o dlang $SRC/dlang.d
// needs: gdc
// modes: full
// expect: errors 0
// expect: says ^    dlang\.Holder!\(int\)\.Holder\.hold\(int\)  .*dlang\.d:16$
// expect: says ^    D main
module dlang;

import core.stdc.stdlib;

class Holder(T)
{
    __gshared void* kept;
    void hold(T bytes) { kept = malloc(bytes * 3); }
}

void main()
{
    auto holder = new Holder!int;
    holder.hold(1000);
}
