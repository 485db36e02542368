#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Put the unwinder under programs as they are installed.
#
#   real-programs.sh LIBRARY check|time|instructions REPORT [PROGRAM ...]
#
# LIBRARY is the preload library of the build directory, tests/unwind/libunwind-check.so. PROGRAM is
# g++, clang++, ld.lld (a linker of four threads), python3, sqlite3, git, redis-server, node, or the
# path of another node; without any, all of these, and those that are not installed are left out. Each process adds a line to REPORT; in
# mode check with what it found different, and a table is printed. Exit status 1 if a trace differs.
# Mode time compares with unw_backtrace(), called at every UNWIND_OTHERS_EVERY'th event (16);
# instructions does so at each, under callgrind, which counts what other work does not change.
set -u
library=$(realpath "$1")
export UNWIND_MODE=$2
counted=
if [ "$UNWIND_MODE" = instructions ]; then
	UNWIND_MODE=time
	export UNWIND_OTHERS_EVERY=1 UNWIND_WITHOUT_LIBGCC=1
	counted=yes
fi
export UNWIND_REPORT=$3
shift 3
[ $# -gt 0 ] || set -- g++ clang++ ld.lld python3 sqlite3 git redis-server node
rm -f "$UNWIND_REPORT"
: > "$UNWIND_REPORT"
UNWIND_REPORT=$(realpath "$UNWIND_REPORT")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2

under() {
	command -v "$1" > /dev/null || return 0
	if [ "$counted" ]; then
		timeout 3000 valgrind -q --tool=callgrind --trace-children=yes \
			--callgrind-out-file="$work/counts.%p" env LD_PRELOAD="$library" "$@" > /dev/null 2>&1
	else
		timeout 1200 env LD_PRELOAD="$library" "$@" > /dev/null
	fi
}

# Of each process that was counted: instructions an event, by what they are for.
instructions() {
	echo "| program | events | ours | with save | unw_backtrace | ratio | with save |"
	echo "|---|---|---|---|---|---|---|"
	for file in "$work"/counts.*; do
		program=$(sed -n 's/^cmd: *\([^ ]*\).*/\1/p' "$file")
		events=$(sed -n "s/^${program##*/}: \([0-9]*\) stacks.*/\1/p" "$UNWIND_REPORT" | head -1)
		callgrind_annotate --inclusive=yes --threshold=100 "$file" 2> /dev/null | tr -d , |
			awk -v program="${program##*/}" -v events="${events:-0}" '
			/libunwind.so/ && /:(unw_)?backtrace / { other += $1 }
			/:stackdepot_unwind(_recall|_remember|_done|_portable)? / { walk += $1 }
			/:(stackdepot_save_cursor|time_is_there) / { save += $1 }
			END { if (events > 10000 && other)
				printf "| %s | %d | %d | %d | %d | %.3f | %.3f |\n", program, events, walk / events,
					(walk + save) / events, other / events, walk / other, (walk + save) / other }'
	done
}

cat > big.cpp << 'END'
#include <algorithm>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <regex>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>
struct A { std::map<std::string, std::vector<int>> m; };
template <int N> struct F { static constexpr int v = F<N-1>::v + F<N-2>::v; };
template <> struct F<0> { static constexpr int v = 0; };
template <> struct F<1> { static constexpr int v = 1; };
int main()
{
	A a; std::regex r("a+(b|c)*d"); std::smatch s; std::string t("aabcd");
	for (int i = 0; i < 100; i++) a.m[std::to_string(i)].push_back(F<20>::v);
	std::variant<int, std::string, A> v = a;
	std::visit([](auto &&x) { (void)x; }, v);
	std::sort(a.m["1"].begin(), a.m["1"].end());
	std::cout << std::regex_search(t, s, r) << a.m.size() << std::endl;
}
END
cat > work.py << 'END'
import json, re, sqlite3, random, hashlib, xml.etree.ElementTree as ET
random.seed(1)
d = {str(i): [random.random() for _ in range(5)] for i in range(400)}
s = json.dumps(d, indent=1); json.loads(s)
re.findall(r'(\d+)\.(\d+)', s)
c = sqlite3.connect(':memory:'); c.execute('create table t(a,b)')
c.executemany('insert into t values(?,?)', [(i, str(i)) for i in range(1000)])
c.execute('select count(*), sum(a) from t join (select 1)').fetchall()
def f(n): return 1 if n == 0 else 1 + f(n-1)
print(f(200)); print(sorted(d, key=lambda k: d[k][0])[:3])
r = ET.Element('a'); [ET.SubElement(r, 'b', x=str(i)) for i in range(300)]
ET.fromstring(ET.tostring(r))
class X: pass
for i in range(3000): x = X(); x.a = [i]; x.b = {'k': x}
END
cat > work.js << 'END'
const o = {}; for (let i = 0; i < 20000; i++) o['k' + i] = [i, String(i)];
const s = JSON.stringify(o); const p = JSON.parse(s); console.log(Object.keys(p).length);
const crypto = require('crypto'), zlib = require('zlib'), fs = require('fs');
for (let i = 0; i < 300; i++)
	crypto.createHash('sha256').update(s.slice(0, 1000 + i)).digest('hex');
console.log(zlib.inflateSync(zlib.deflateSync(s)).length);
for (let i = 0; i < 200; i++) fs.readFileSync(__filename, 'utf8').split('\n').map(x => x.length);
let b = []; for (let i = 0; i < 500; i++) b.push(Buffer.alloc(5000)); console.log(b.length);
new Promise(r => setTimeout(r, 10)).then(() => console.log('done'));
END

with_lld() {
	[ -f gcc.o ] || g++ -std=c++17 -O1 -c big.cpp -o gcc.o
	LD_PRELOAD='' clang++ -static '-###' gcc.o -o linked 2>&1 | tail -1 | tr -d '"' > link
	# shellcheck disable=SC2046 # the linker's arguments
	set -- $(cut -d' ' -f3- link)
	LLD_IN_TEST=1 under ld.lld --threads=4 --gc-sections --icf=all "$@"
}

with_git() {
	under git init -q repository
	cd repository || return
	for i in 1 2 3 4 5 6 7 8; do
		cp ../big.cpp $i.cpp
		cp ../work.py $i.py
	done
	under git add .
	under git -c user.email=a@b -c user.name=n commit -qm x
	under git log -p
	under git gc -q
	cd ..
}

with_redis() {
	socket=$work/redis.sock
	under redis-server --port 0 --unixsocket "$socket" --save "" &
	for i in $(seq 100); do
		[ -S "$socket" ] && break
		sleep 0.1
	done
	redis-benchmark -s "$socket" -q -n 3000 -c 20 > /dev/null 2>&1
	redis-cli -s "$socket" shutdown nosave
	wait
}

for program in "$@"; do
	command -v "$program" > /dev/null || continue
	case $program in
	g++)
		# callgrind is slow: a tenth of it
		[ "$counted" ] && sed -i '/<regex>/d; /<iostream>/d; s/std::regex r[^;]*; std::smatch s;//; /std::cout/d' big.cpp
		under g++ -std=c++17 -O1 -c big.cpp -o gcc.o
		;;
	clang++) under clang++ -std=c++17 -O1 -c big.cpp -o clang.o ;;
	ld.lld) with_lld ;;
	python3) PYTHONMALLOC=malloc under /usr/bin/python3 work.py ;;
	sqlite3)
		under sqlite3 :memory: "create table t(a,b);
			with recursive c(x) as (select 1 union all select x+1 from c where x<20000)
			insert into t select x, 'v'||x from c;
			create index i on t(b);
			select count(*) from t a join t b on a.b=b.b where a.a%7=0;
			select b, sum(a) from t group by a%100 order by 2 limit 3;"
		;;
	git) with_git ;;
	redis-server) with_redis ;;
	*) under "$program" work.js ;;
	esac
done

# As far as a line of the report has figures: what is exec'd over or ends by a signal has none.
if [ "$counted" ]; then
	instructions
	exit 0
fi
if [ "$UNWIND_MODE" = time ]; then
	echo "| program | events | recalled | frames | ours ns | with save | unw_backtrace | ratio | with save |"
	echo "|---|---|---|---|---|---|---|---|---|"
	sed -n 's/^\([^ ]*\): \([0-9]*\) stacks of \([0-9.]*\) frames: ours \([0-9.]*\) ns, with save \([0-9.]*\) ns, unw_backtrace \([0-9.]*\) ns, .*ratio \([0-9.]*\), with save \([0-9.]*\); recalled=\([0-9]*\).*/\1 \2 \9 \3 \4 \5 \6 \7 \8/p' "$UNWIND_REPORT" |
		awk '$2 > 10000 { printf "| %s | %d | %d %% | %s | %s | %s | %s | %s | %s |\n",
			$1, $2, 100 * $3 / $2, $4, $5, $6, $7, $8, $9 }'
	exit 0
fi
[ "$UNWIND_MODE" = check ] || exit 0
# Where libgcc gave up before the outermost frame, libunwind was asked; what it said comes last.
awk '/ traces agree;/ {
		name = $1
		sub(/:$/, "", name)
		if (!(name in processes))
			names[++nr] = name
		processes[name]++
		agree[name] += $2
		total[name] += $4
		all_agree += $2
		all += $4
		for (i = 7; i <= NF; i++) {
			split($i, pair, "=")
			sum[name, pair[1]] += pair[2]
		}
	}
	END {
		print "| program | processes | agree | of | recalled | to the outermost | cut |" \
			" gave up | agrees | guesses on | gave up earlier | verified |"
		print "|---|---|---|---|---|---|---|---|---|---|---|---|"
		for (n = 1; n <= nr; n++) {
			name = names[n]
			frames = sum[name, "frames"]
			all_recalled += sum[name, "recalled"]
			all_portable += sum[name, "portable-frames"]
			printf "| %s | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d | %d %% |\n",
				name, processes[name], agree[name], total[name],
				sum[name, "recalled"], sum[name, "ended"],
				sum[name, "cut"], sum[name, "gave-up"] + sum[name, "longer"],
				sum[name, "gave-up-agrees"] + sum[name, "longer-agrees"],
				sum[name, "gave-up-guesses"] + sum[name, "longer-guesses"],
				sum[name, "gave-up-shorter"] + sum[name, "longer-shorter"],
				frames ? 100 * sum[name, "verified"] / frames : 0
		}
		printf "%d of %d traces agree; %d recalled, %d portable frames\n",
			all_agree, all, all_recalled, all_portable
		exit !all || all_agree != all
	}' "$UNWIND_REPORT"
