#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""embed.py OUT NAME=FILE... - texts as constants of C."""
import sys

with open(sys.argv[1], "w", encoding="utf-8") as out:
    print("/* SPDX-License-Identifier: GPL-2.0-only OR MIT */", file=out)
    print('#include "fleet/schema.h"', file=out)
    for word in sys.argv[2:]:
        name, path = word.split("=", 1)
        print(f"\nconst char {name}[] =", file=out)
        with open(path, encoding="utf-8") as text:
            lines = ['\t"' + line.rstrip("\n").replace("\\", "\\\\").replace('"', '\\"') + '\\n"' for line in text]
        print("\n".join(lines) + ";", file=out)
