#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Memory and file size of the recorder while traces never seen before keep coming.

usage: soak.py STACKDEPOT CHURN_PROGRAM SECONDS [CSV [SVG]]

Samples once a second: size of the store, anonymous memory of the process, memory the recorder says it
has besides the store. Fails if any of them grows after the first tenth of the time.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

TOOL, CHURN, SECONDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
SLACK = 1 << 20  # the C library's own arenas breathe


def status_bytes(pid, field):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def sample(store, pid, start):
    done = subprocess.run([TOOL, "stats", "--json", store], capture_output=True, text=True)
    stats = json.loads(done.stdout)
    return {"seconds": round(time.monotonic() - start, 1), "store": os.path.getsize(store),
            "anonymous": status_bytes(pid, "RssAnon"), "tool": stats["tool_bytes"],
            "traces": stats["traces_saved"], "evictions": stats["evictions"],
            "drops": stats["drops"]}


def wait_for_store(store):
    for _ in range(300):
        time.sleep(0.1)
        done = subprocess.run([TOOL, "stats", "--json", store], capture_output=True, text=True)
        if done.returncode == 0:
            return json.loads(done.stdout)["pid"]
    sys.exit("no store after 30 s")


def record(store):
    run = subprocess.Popen([TOOL, "run", "--quiet", "--memory=8M", "--store", store, "--", CHURN,
                            str(SECONDS)], stdout=subprocess.DEVNULL)
    pid, start, samples = wait_for_store(store), time.monotonic(), []
    while run.poll() is None:
        try:
            samples.append(sample(store, pid, start))
        except (OSError, json.JSONDecodeError):
            break
        time.sleep(1)
    return run.wait(), samples


def curve(samples, key, top, colour):
    width = 860 / max(samples[-1]["seconds"], 1)
    points = " ".join(f"{60 + s['seconds'] * width:.1f},{320 - 280 * s[key] / top:.1f}"
                      for s in samples)
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'


def plot(samples, path):
    top = 1.2 * max(s[k] for s in samples for k in ("store", "anonymous", "tool"))
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 360" font-family="sans-serif" '
             'font-size="14">', '<!-- SPDX-License-Identifier: GPL-2.0-only OR MIT -->', '<rect width="960" height="360" fill="white"/>',
             '<line x1="60" y1="320" x2="920" y2="320" stroke="black"/>',
             f'<text x="60" y="345">{samples[-1]["seconds"]:.0f} s, '
             f'{samples[-1]["traces"]:,} different traces stored, '
             f'{samples[-1]["evictions"]:,} lines evicted</text>']
    for i, (key, colour, text) in enumerate((("store", "#1f77b4", "store file"),
                                             ("anonymous", "#d62728", "anonymous memory of the process"),
                                             ("tool", "#2ca02c", "of it, the recorder's"))):
        last = samples[-1][key] / (1 << 20)
        parts.append(curve(samples, key, top, colour))
        parts.append(f'<text x="70" y="{20 + 20 * i}" fill="{colour}">{text}: {last:.2f} MiB</text>')
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(parts + ["</svg>"]) + "\n")


def verdict(samples):
    rest = samples[max(1, len(samples) // 10):]
    for key, slack in (("store", 0), ("anonymous", SLACK), ("tool", 0)):
        grown = max(s[key] for s in rest) - rest[0][key]
        if grown > slack:
            sys.exit(f"FAILED: {key} grew by {grown} bytes")
    if rest[-1]["evictions"] <= rest[0]["evictions"]:
        sys.exit("FAILED: nothing was evicted, so nothing was shown")
    print(f"flat over {rest[-1]['seconds']:.0f} s and {len(samples)} samples: store "
          f"{rest[-1]['store']}, recorder besides {rest[-1]['tool']}, anonymous memory "
          f"{rest[0]['anonymous']} to {max(s['anonymous'] for s in rest)}; "
          f"{rest[-1]['traces']:,} traces stored, {rest[-1]['drops']} refused")


def main():
    with tempfile.TemporaryDirectory() as directory:
        status, samples = record(os.path.join(directory, "store"))
    if status or len(samples) < 3:
        sys.exit(f"FAILED: status {status}, {len(samples)} samples")
    if len(sys.argv) > 4:
        with open(sys.argv[4], "w", encoding="ascii") as file:
            file.write(",".join(samples[0]) + "\n")
            file.writelines(",".join(str(v) for v in s.values()) + "\n" for s in samples)
    if len(sys.argv) > 5:
        plot(samples, sys.argv[5])
    verdict(samples)


main()
