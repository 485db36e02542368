#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_mended.py TOOL BUGS HOLD AGENT - what was wrong once: a process that cannot be looked at, names without their keys, what is
kept for ever, proxies, and files that are larger than an answer."""
import ctypes
import glob
import http.server
import os
import re
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import BUGS, NAMED, ask, compiled, init, push, small  # noqa: E402
from tool import TOOL, check, eventually, record, report, run_all  # noqa: E402

AGENT = os.path.abspath(sys.argv[4])
PTRACE_SEIZE, PTRACE_DETACH = 0x4206, 17
LOSES = """#include <stdio.h>
#include <stdlib.h>
__attribute__((noinline)) static void loses(void)
{
	char *volatile object = malloc(4321);

	object = NULL;
}
__attribute__((noinline)) static void clears(void)
{
	volatile char stack[4096] = {0};

	(void)stack;
}
int main(void)
{
	loses();
	clears();
	puts("ready");
	fflush(stdout);
	return getchar();
}
"""


def traced(pid, wanted):
    """By this process: then nobody else can stop it to look."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
    if wanted:
        return libc.ptrace(PTRACE_SEIZE, pid, None, None) == 0
    os.kill(pid, 19)
    os.waitpid(pid, 0x40000000)
    return libc.ptrace(PTRACE_DETACH, pid, None, None) == 0


def test_no_look(directory):
    """That nobody could look is no word of what is lost."""
    program, store, spool = compiled(f"{directory}/loses", LOSES), f"{directory}/loses.stackdepot", f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={store}", "--", program],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        check(process.stdout.readline() == "ready\n", "it begins")
        pid = report("leaks", store)["pid"]

        def lost():
            return any(frame["function"] == "loses" for stack in ask(server.url, "lost")["stacks"]
                       for frame in stack["stack_frames"])

        try:
            push(server.url, spool, "--lost", store)
            check(lost(), "it is lost", ask(server.url, "lost"))
            if not traced(pid, True):
                return "the right to trace"
            done = push(server.url, spool, "--lost", store)
            check("a debugger has the process" in done.stderr, "that is said", done.stderr)
            check(lost(), "nobody could look, and it is lost still", ask(server.url, "lost"))
        finally:
            process.stdin.close()
            process.kill()
            try:
                os.kill(pid, 9)
            except ProcessLookupError:
                pass
            process.wait()
        push(server.url, spool, "--lost", store)
        check(not lost(), "it has ended, and lost is a word of what runs", ask(server.url, "lost"))
    return None


def test_names_again(directory):
    """Names were told, and then the server could not take the keys of their stacks: they are told the next time."""
    program, store, spool = f"{directory}/named", f"{directory}/named.stackdepot", f"{directory}/spool"
    os.rename(compiled(program, NAMED), f"{program}.whole")
    subprocess.run(["strip", "-o", program, f"{program}.whole"], check=True)
    record(store, program, options=("--quiet", "--memory=1M"))
    keys = "SELECT id, key FROM stackdepot.stacks FINAL ORDER BY id"
    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, spool, store)
        before = server.rows(keys)
        os.rename(f"{program}.whole", program)
        server.ask("RENAME TABLE stackdepot.stacks TO stackdepot.away")
        push(server.url, spool, "--symbols", store, status=2)
        server.ask("RENAME TABLE stackdepot.away TO stackdepot.stacks")
        check(server.rows("SELECT count() FROM stackdepot.frames FINAL WHERE has(functions, 'alpha')") == [["1"]], "names were told")
        check(server.rows(keys) == before, "and no keys")
        push(server.url, spool, "--symbols", store)
        check(server.rows(keys) != before, "keys are told, too, when they can be")
        check(not glob.glob(f"{spool}/*/names"), "nothing waits any more")


def test_expiry(directory):
    """What is known to have been told is forgotten when it was not met for long; and told again if it comes back."""
    store, spool = small(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, spool, store)
        path = glob.glob(f"{spool}/*/state")[0]

        def rows():
            with open(path, encoding="utf-8") as text:
                return [line for line in text.read().split("\n") if re.match(r"R\t\d+\t\t", line)]

        kept = rows()
        today = kept[0].rsplit("\t", 1)[1]
        check(kept and today.isdigit() and int(today) > 20000, "stacks and frames, and their day", kept[:2])
        with open(path, encoding="utf-8") as text:
            lines = text.read().split("\n")
        first = next(number for number, line in enumerate(lines) if re.match(r"R\t\d+\t\t", line))
        for add, here in (("e" * 8, False), ("f" * 8, True)):
            words = lines[first].split("\t")
            words[3], words[-1] = add + words[3][8:], str(int(today) - (1 if here else 5000))
            with open(path, encoding="utf-8") as text:
                now = text.read().split("\n")
            now.insert(first, "\t".join(words))
            with open(path, "w", encoding="utf-8") as text:
                text.write("\n".join(now))
            record(store, f"{BUGS}/bug-clean", options=("--quiet", "--append"))
            push(server.url, spool, store)
            check(any(add in row for row in rows()) == here, f"of {words[-1]}, today being {today}: {here}", rows()[:3])
        check(set(kept) <= set(rows()), "and the others stay", kept, rows())


class Slow(http.server.BaseHTTPRequestHandler):
    """A server that takes nothing, after a while."""
    goes_on, requests = threading.Event(), []

    def do_POST(self):
        self.requests.append(self.path)
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.goes_on.wait(300)
        try:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass

    def log_message(self, *_):
        pass


def slow():
    """Its address, and the class that has what was asked."""
    handler = type("Handler", (Slow,), {"goes_on": threading.Event(), "requests": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}", handler


def test_proxy(directory):
    """What is for this host goes to no proxy, whatever the environment says."""
    store = small(directory)
    url, handler = slow()
    proxy, asked = slow()
    handler.goes_on.set()
    asked.goes_on.set()
    environment = {**os.environ, "http_proxy": proxy, "all_proxy": proxy, "no_proxy": ""}
    push(url, f"{directory}/spool", store, status=2, env=environment)
    check(handler.requests and not asked.requests, "asked itself", handler.requests, asked.requests)
    push("http://127.nowhere.invalid:1", f"{directory}/other", store, status=2, env=environment)
    check(asked.requests, "another host is asked through it; a name may begin as an address does")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def limit_of_push(agent):
    """Of the size of files, of the agent's push; None: it does not run."""
    for pid in children(agent):
        try:
            with open(f"/proc/{pid}/comm", encoding="ascii") as file:
                if not file.read().startswith("stackdepot-flee"):
                    continue
            with open(f"/proc/{pid}/limits", encoding="ascii") as file:
                return re.search(r"^Max file size +(\S+)", file.read(), re.M)[1]
        except OSError:
            pass
    return None


def test_agent_files(directory):
    """The agent's push writes a spool, which may be larger than an answer of the agent's."""
    small(directory)
    url, handler = slow()
    with subprocess.Popen([AGENT, "--listen=127.0.0.1:0", f"--stores={directory}", f"--push={url}", "--push-every=1",
                           f"--push-spool={directory}/spool"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as agent:
        agent.stdout.readline()
        eventually(lambda: handler.requests, "it pushes")
        found = limit_of_push(agent.pid)
        with open("/proc/self/limits", encoding="ascii") as file:
            own = re.search(r"^Max file size +(\S+)", file.read(), re.M)[1]
        handler.goes_on.set()
        agent.terminate()
    check(found == own, "no limit of its own", found, own)


if servers.missing():
    print("skipped: needs", servers.missing())
    sys.exit(77)
run_all(globals())
