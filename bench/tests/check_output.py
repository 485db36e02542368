#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Runs stackdepot-bench in quick mode and checks the shape and the plausibility of its JSON.

usage: check_output.py STACKDEPOT-BENCH CORPUS...
"""
import json
import subprocess
import sys
import tempfile

FULL = ("cold_ns", "warm_ns", "cursor_warm_ns", "fetch_ns", "put_ns", "bytes_per_unique")
BUDGET = ("fraction", "save_ns", "p9999_ns", "hit_ratio", "lru_hit_ratio", "evictions")


def expect(condition, message):
    if not condition:
        sys.exit("check_output.py: " + message)


def check_positive(where, members, names):
    for name in names:
        value = members.get(name)
        expect(isinstance(value, (int, float)) and value > 0, f"{where}: {name} is {value}")


def check_budgets(name, budgets):
    expect([budget["fraction"] for budget in budgets] == [0.5, 0.25, 0.1], f"{name}: budgets")
    for budget in budgets:
        where = f"{name} at {budget['fraction']}"
        check_positive(where, budget, ("fraction", "save_ns", "p9999_ns"))
        for ratio in ("hit_ratio", "lru_hit_ratio"):
            expect(0 <= budget[ratio] <= 1, f"{where}: {ratio} is {budget[ratio]}")
        expect(budget["worst_ns"] >= budget["p9999_ns"], f"{where}: worst is not the worst")
        expect(budget["evictions"] >= 0, f"{where}: evictions")
    lines = [budget["lines"] for budget in budgets]
    expect(lines == sorted(lines, reverse=True), f"{name}: a smaller budget has more lines")


def check_threads(name, threads):
    seen = {(run["threads"], run["mode"], run["same_hot"]) for run in threads}
    wanted = {
        (nr, mode, same)
        for nr in (1, 2, 4)
        for mode in ("referenced", "leased")
        for same in (True, False)
    }
    expect(seen == wanted, f"{name}: threads {sorted(wanted ^ seen)}")
    for run in threads:
        check_positive(f"{name} with threads", run, ("save_ns",))


def check_peers(name, peers, run):
    expect(set(peers) == {"linux", "llvm"}, f"{name}: peers are {sorted(peers)}")
    for peer, figures in peers.items():
        expect((run[peer] is None) == (figures is None), f"{name}: {peer} is {run[peer]}")
        if figures is not None:
            expect(run[peer].lower().startswith(peer + " "), f"{name}: {peer} is {run[peer]}")
            check_positive(f"{name}: {peer}", figures,
                           ("cold_ns", "warm_ns", "bytes_per_unique"))


def check_corpus(corpus, run):
    name = corpus["name"]
    check_positive(name, corpus, ("unique", "events"))
    check_positive(name, corpus["full"], FULL)
    for budget in corpus["budgets"]:
        expect(set(BUDGET) <= set(budget), f"{name}: budget lacks a field")
    check_budgets(name, corpus["budgets"])
    check_threads(name, corpus["threads"])
    check_peers(name, corpus["peers"], run)


def check_json(program, corpora):
    arguments = [program, "--json", "--quick"]
    for corpus in corpora:
        arguments += ["--corpus", corpus]
    result = json.loads(subprocess.run(arguments, check=True, stdout=subprocess.PIPE).stdout)
    expect(len(result["corpora"]) == len(corpora), "not all corpora are reported")
    for corpus in result["corpora"]:
        check_corpus(corpus, result["run"])


def check_refusal(program):
    with tempfile.NamedTemporaryFile(suffix=".sdtrace") as file:
        file.write(b"SDTRACE1 and nothing good after that")
        file.flush()
        run = subprocess.run([program, "--corpus", file.name], capture_output=True, text=True)
        expect(run.returncode == 2, f"exit status {run.returncode} for a damaged file")
        expect(run.stdout == "", "output in spite of a damaged file")
        lines = run.stderr.splitlines()
        expect(len(lines) == 1 and file.name in lines[0], f"error message: {run.stderr!r}")
    run = subprocess.run([program], capture_output=True, text=True)
    expect(run.returncode == 2, f"exit status {run.returncode} without corpora")


if __name__ == "__main__":
    check_refusal(sys.argv[1])
    check_json(sys.argv[1], sys.argv[2:])
