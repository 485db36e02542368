# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the report of a recorded situation has to say: the lines `expect:` of its source."""
import json
import re
import subprocess


class Reports:
    """All that the tool says of a store."""

    def __init__(self, tool, store, ours):
        self.tool, self.store, self.trouble = tool, store, []
        self.leaks = self.json("leaks", "--no-default-suppressions")
        self.errors = self.json("errors")
        self.top = self.json("top")
        self.text = ours + "".join(self.ask(*command) for command in (
            ("report", "--all"), ("report", "leaks", "--all"), ("report", "errors", "--all"),
            ("stats",)))

    def ask(self, *command):
        done = subprocess.run([self.tool, *command, self.store],
                              capture_output=True, text=True, errors="replace", timeout=300)
        if done.returncode not in (0, 1):
            self.trouble.append(f"{' '.join(command)}: status {done.returncode}: {done.stderr}")
        return done.stdout + done.stderr

    def json(self, kind, *options):
        text = self.ask("report", kind, "--json", "--all", *options)
        try:
            return json.loads(text[text.index("{"):])
        except ValueError as error:
            self.trouble.append(f"report {kind} --json: {error}")
            return {}


def functions(stack):
    return [frame["function"] for frame in stack.get("stack") or []]


def leak_of(reports, function):
    stacks = [s for s in reports.leaks.get("stacks", []) if function in functions(s)]
    return (sum(s["live_bytes"] for s in stacks), sum(s["live_objects"] for s in stacks))


def check_errors(reports, words):
    found = reports.errors.get("errors", [])
    if words[0] == "0":
        return "" if not found else f"errors: {[(e['kind'], e['count']) for e in found]}"
    if words[0] == "only":
        other = sorted({e["kind"] for e in found} - set(words[1:]))
        return f"errors: {other}" if other else ""
    seen = sum(e["count"] for e in found if e["kind"] == words[0])
    return "" if seen == int(words[1]) else f"{words[0]}: {seen} instead of {words[1]}"


def check_live(reports, words):
    live = reports.leaks.get("live_objects")
    return "" if live == int(words[0]) else f"live objects: {live} instead of {words[0]}"


def check_leak(reports, words):
    found, wanted = leak_of(reports, words[0]), (int(words[1]), int(words[2]))
    return "" if found == wanted else f"leak of {words[0]}: {found} instead of {wanted}"


def check_allocations(reports, words):
    found = sum(s["allocations"] for s in reports.top.get("stacks", []) if words[0] in functions(s))
    return "" if found == int(words[1]) else f"allocations of {words[0]}: {found} instead of {words[1]}"


def check(reports, line, exact):
    """Why an expectation does not hold, or an empty string."""
    verb, _, rest = line.partition(" ")
    words = rest.split()
    if verb == "errors":
        return check_errors(reports, words)
    if verb == "live-objects":
        return check_live(reports, words) if exact else ""
    if verb == "leak":
        return check_leak(reports, words) if exact else ""
    if verb == "allocations":
        return check_allocations(reports, words) if exact else ""
    if verb in ("says", "unrecorded"):
        return "" if re.search(rest, reports.text, re.M) else f"no report says {rest!r}"
    if verb == "not":
        found = re.search(rest, reports.text, re.M)
        return f"a report says {found.group(0)!r}" if found else ""
    if verb == "estimated":
        return "" if reports.leaks.get("estimated") else "said to be exact"
    return f"what is {verb!r}?"


def failures(reports, situation, mode):
    lines = situation.lines.get("expect", [])
    if not any(line.startswith("errors") for line in lines):
        lines = ["errors 0", *lines]
    exact = mode != "sampled"
    found = [check(reports, line, exact) for line in lines]
    if exact and "estimated" not in lines and reports.leaks.get("estimated"):
        found.append("said to be estimated")
    return reports.trouble + [text for text in found if text]
