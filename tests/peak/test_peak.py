#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot report peak` against programs that know their highest point, in a hundred shapes.

usage: test_peak.py STACKDEPOT SHAPES

The other programs are beside SHAPES.
"""
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import PATIENCE, TOOL, asleep, call, check, eventually, record, report, run_all, tool  # noqa: E402

SHAPES = os.path.abspath(sys.argv[2])
MANY = os.path.join(os.path.dirname(SHAPES), "peak-many")
SEEDS = int(os.environ.get("SEEDS", "100"))  # of shapes
OTHERS = 2048  # bytes that the C library has for itself


def known(lines):
    """What the program says: its top, and of each site the least and the most near it."""
    top = int(re.search(r"^top (\d+)$", lines, re.M).group(1))
    return top, {int(site): (int(least), int(most))
                 for site, least, most in re.findall(r"^site (\d+) (\d+) (\d+)$", lines, re.M)}


def by_site(found):
    sums = {}
    for stack in found["stacks"]:
        for frame in stack["stack"] or ():
            match = re.fullmatch(r"site_(\d+)", frame["function"] or "")
            if match:
                site = int(match.group(1))
                sums[site] = sums.get(site, 0) + stack["live_bytes"]
                break
    return sums


def look(store, top, text, more=OTHERS):
    """The report of the one process, whose top is known."""
    found = report("peak", store, status=0)
    peak = found["peaks"][0]["peak"]
    check(len(found["peaks"]) == 1, f"{text}: one process", found["peaks"])
    check(-peak["unseen_bytes"] <= peak["bytes"] - top <= more,
          f"{text}: the top is {top}", peak)
    return found, peak


def test_shapes(directory):
    store, shares, least = directory + "/store", [], 1
    for seed in range(SEEDS):
        done = record(store, SHAPES, str(seed))
        top, sites = known(done.stdout)
        found, peak = look(store, top, f"shape {seed}")
        least = min(least, peak["bytes"] / top)
        share = peak["stacks_bytes"] / top
        shares.append(share)
        check(0.87 < share <= 1 + OTHERS / top, f"shape {seed}: stacks are near the top of {top}", share, peak)
        check(not peak["unlisted_bytes"] and not peak["meanwhile_bytes"], f"shape {seed}: all stacks", peak)
        sums = by_site(found)
        for site, (low, high) in sites.items():
            check(low <= sums.get(site, 0) <= high, f"shape {seed}: site {site}: {sums.get(site, 0)}", low, high)
    print(f"{SEEDS} shapes: the top {100 * least:.2f} % at least, "
          f"stacks {100 * min(shares):.2f} % of it at least, {100 * sum(shares) / len(shares):.2f} % on average")


def test_threads(directory):
    """Under way in several threads: the bounds hold."""
    store, worst = directory + "/store", 1
    for seed in range(20):
        done = record(store, SHAPES, str(seed), "4")
        top, _ = known(done.stdout)
        found, peak = look(store, top, f"threads {seed}", OTHERS + top / 64)
        worst = min(worst, peak["stacks_bytes"] / top)
        check(0.85 < (peak["stacks_bytes"] + peak["meanwhile_bytes"]) / top < 1.1, f"threads {seed}", peak, top)
        check(abs(sum(by_site(found).values()) - peak["stacks_bytes"]) <= OTHERS + peak["unlisted_bytes"],
              f"threads {seed}: sums", peak)
    print(f"20 shapes in 4 threads: stacks {100 * worst:.2f} % of the top at least")


def test_sampled(directory):
    """Estimates, and said to be. Tops are 1 MB, some 2,000 samples: standard errors are 2 %."""
    store, ratios = directory + "/store", []
    for seed in range(3, 60, 10):
        done = record(store, SHAPES, str(seed), options=("--quiet", "--mode=sample=512"))
        top, _ = known(done.stdout)
        found = report("peak", store, status=0)
        peak = found["peaks"][0]["peak"]
        ratios.append(peak["bytes"] / top)
        check(found["estimated"] and found["stacks"][0]["live_bytes_error"] > 0, "estimates", found)
        check("estimated" in tool("report", "peak", store).stdout, "said to be estimates")
    check(all(0.8 < ratio < 1.3 for ratio in ratios), "sampled: near the top", ratios)


def test_killed(directory):
    """What was live at a kill is the peak of what only went up."""
    store = directory + "/store"
    for seed in (2, 12, 1, 3):
        done = record(store, SHAPES, str(seed), "1", "kill")
        top, _ = known(done.stdout)
        _, peak = look(store, top, f"killed {seed}")
        check(peak["stacks_bytes"] / top > 0.87, f"killed {seed}", peak)
        check(seed % 10 != 2 or peak["stacks_after_seconds"] is None, f"killed {seed}: its end", peak)


def test_processes(directory):
    """Each has a peak of its own."""
    store = directory + "/store"
    done = record(store, SHAPES, "1", "1", "children")
    tops = sorted(int(top) for top in re.findall(r"^top (\d+)$", done.stdout, re.M))
    found = report("peak", store, status=0)
    peaks = sorted(process["peak"]["bytes"] for process in found["peaks"])
    check(len(tops) == 4 and len(peaks) == 4, "four processes", peaks)
    for top, peak in zip(tops, peaks):
        check(0.98 * top < peak < top + OTHERS, "each its own", tops, peaks)
    check("sums of several are none" in tool("report", "peak", store).stdout, "what is said of the sum")


def test_interval(directory):
    """The highest point from now on is another than the one before."""
    store = directory + "/store"
    with subprocess.Popen([TOOL, "run", "--quiet", "--store", store, "--", SHAPES, "3", "1", "hold"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        lines = [program.stdout.readline() for _ in range(17)]
        top, _ = known("".join(lines))
        with subprocess.Popen([TOOL, "report", "peak", "--json", "--peak-of-interval=3", store],
                              stdout=subprocess.PIPE, text=True) as looking:
            eventually(lambda: asleep(looking.pid), "the interval begins")
            program.stdin.write("x")
            program.stdin.flush()
            check(program.stdout.readline() == "again\n", "it goes on")
            interval = json.loads(looking.communicate()[0])["peaks"][0]["peak"]["bytes"]
        program.stdin.close()
        program.wait()
    check(0 < interval < top / 2, "of the interval", interval, top)
    look(store, top, "of its life")


def interval_of_young(store, seconds):
    """The peaks of an interval in which a process began, and its top; None: it took longer than that."""
    script = f"read go; {SHAPES} 3 1 hold; :"
    with subprocess.Popen([TOOL, "run", "--quiet", "--store", store, "--", "sh", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        eventually(lambda: os.path.exists(store) and call(TOOL, "report", "stats", store).returncode == 0, "it is recorded")
        with subprocess.Popen([TOOL, "report", "peak", "--json", f"--peak-of-interval={seconds}", store],
                              stdout=subprocess.PIPE, text=True) as looking:
            eventually(lambda: asleep(looking.pid), "the interval begins")
            program.stdin.write("go\n")
            program.stdin.flush()
            top, _ = known("".join(program.stdout.readline() for _ in range(17)))
            in_time = looking.poll() is None
            peaks = json.loads(looking.communicate()[0])["peaks"]
        program.stdin.close()
        program.wait()
    return (peaks, top) if in_time else None


def test_interval_of_young(directory):
    """What began in the interval had its peak in it."""
    for seconds in (2, 10, 60):
        found = interval_of_young(f"{directory}/{seconds}", seconds)
        if found:
            break
    check(found, "a process begins within a minute")
    peaks, top = found
    check(len(peaks) == 2 and top * 0.98 < max(each["peak"]["bytes"] for each in peaks) < top + OTHERS, "of its life", peaks, top)


def test_hostile(directory):
    """A list that leads in a circle, and says that it is longer than there is room, has an end."""
    store = directory + "/store"
    check(record(store, SHAPES, "1").returncode == 0, "a store")
    done = call(os.path.join(os.path.dirname(SHAPES), "peak-circle"), store)
    check(done.returncode == 0, "a circle", done.stderr)
    for command in (("peak",), ("leaks", "--peak")):
        done = call(TOOL, "report", *command, store, timeout=PATIENCE)
        check(done.returncode in (0, 1, 2) and done.stderr.count("\n") <= 1, f"{command}", done)


def test_everywhere(directory):
    """Exports, pages and differences of peaks."""
    store, other = directory + "/store", directory + "/other"
    top, _ = known(record(store, SHAPES, "3").stdout)
    record(other, SHAPES, "13")
    plain = json.loads(tool("export", "--format=json", store).stdout)
    peak = json.loads(tool("export", "--format=json", "--peak", store).stdout)
    check(sum(stack["live_bytes"] for stack in plain["stacks"]) < top / 10, "at its end", plain["process"])
    check(abs(sum(stack["live_bytes"] for stack in peak["stacks"]) - top) < top / 16 and
          peak["process"]["peak"]["bytes"] > 0.98 * top and "peak" not in plain["process"], "exported", peak["process"])
    folded = tool("export", "--format=folded", "--peak", store).stdout
    check(abs(sum(int(line.rsplit(" ", 1)[1]) for line in folded.splitlines()) - top) < top / 16, "folded")
    page = tool("flame", "--peak", "-o", "-", store).stdout
    check("when each process had the most" in page, "the page says so")
    changed = json.loads(tool("diff", "--peak", "--json", store, other, status=None).stdout)
    check(changed["stacks"], "diff", changed)


def test_many_stacks(directory):
    """More stacks than a small store has room for: what has none is said, and the sum is right."""
    store = directory + "/store"
    top, _ = known(record(store, SHAPES, "1", options=("--quiet", "--memory=1M")).stdout)
    found = report("peak", store, status=0)
    peak = found["peaks"][0]["peak"]
    total = sum(stack["live_bytes"] for stack in found["stacks"])
    check(abs(total - peak["stacks_bytes"]) < 1 and peak["bytes"] > 0.5 * top, "sum", total, peak)


def test_many_stacks_with_room(directory):
    """Thousands of stacks in a store that has room for them: nearly none is missing."""
    store = directory + "/store"
    record(store, MANY)
    found = report("peak", store, status=0)
    stacks = [stack for stack in found["stacks"] if stack["stack"] and stack["live_bytes"] == 100]
    check(len(stacks) > 4000, "stacks", len(stacks), found["peaks"][0]["peak"])


def test_text(directory):
    store = directory + "/store"
    record(store, SHAPES, "3")
    text = tool("report", "peak", "--limit=2", store).stdout
    for line in (r"^[\d.]+ MiB at most$", r"^[\d.]+ s after its start; known to within [\d.]+ \w+$",
                 r"^by stack: [\d.]+ MiB in [\d,]+ objects, [\d.]+ % of it, as of [\d.]+ s$", r"^\d+ more stacks; --all"):
        check(re.search(line, text, re.M), f"text: {line}", text)
    done = call(TOOL, "report", "peak", directory + "/none")
    check(done.returncode == 2, "of nothing", done.stderr)


run_all(globals())
