#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_push.py TOOL BUGS HOLD AGENT - stackdepot push, to a ClickHouse and to servers that mean ill.

What arrives is compared with the stores, stack by stack, to the byte.
"""
import glob
import gzip
import http.server
import os
import re
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import BUGS, FAKETIME, HOLD, ask, check_equal, days_ago, init, make_gone, push, stored, told, wanted_of  # noqa: E402
from tool import TOOL, call, check, record, report, run_all  # noqa: E402

HOSTILE = ["quo'te\"s", "back\\slash\\", "tab\there", "new\nline", "[jit]", "','", "\x1b[31m", "percent%s", "é‮"]


class Held:
    """A recorded hold.c, which keeps 100,000 bytes more at each order."""

    def __init__(self, store):
        self.store = store
        self.process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={store}", "--", HOLD],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        check(self.process.stdout.readline() == "ready\n", "hold.c begins")

    def order(self, what):
        self.process.stdin.write(what)
        self.process.stdin.flush()
        check(self.process.stdout.readline() == "done\n", f"hold.c does {what}")

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def batches(spool):
    return sorted(glob.glob(f"{spool}/*/batch-*"))


def rows_of(batch, table):
    path = f"{batch}/{table}.gz"
    if not os.path.exists(path):
        return []
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return [line.rstrip("\n").split("\t") for line in text]


def make_stores(directory):
    """One that churned, one with an error; and the names of both."""
    stores = [f"{directory}/python.stackdepot", f"{directory}/bug.stackdepot"]
    record(stores[0], "/usr/bin/python3", "-c", "x = [str(i) * 50 for i in range(5000)]", options=("--quiet", "--memory=4M"))
    record(stores[1], f"{BUGS}/bug-double-free", options=("--quiet", "--memory=4M"))
    return stores


def test_sums(directory):
    """Once, again, in parts, with the state lost, and from two hosts."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        init(server)
        push(server.url, spool, *stores)
        check_equal(server, stores, "once")
        before = int(server.ask("SELECT count() FROM stackdepot.samples"))
        push(server.url, spool, *stores)
        check(int(server.ask("SELECT count() FROM stackdepot.samples")) == before, "what is as it was is not sent again")
        check_equal(server, stores, "again")
        shutil.rmtree(spool)
        push(server.url, spool, *stores)
        check_equal(server, stores, "with the state lost")
        push(server.url, f"{directory}/other", "--host=other", *stores)
        check_equal(server, stores * 2, "from two hosts")
        check_equal(server, stores, "from one of them", "WHERE host = 'other'")
        hosts = ask(server.url, "hosts")["hosts"]
        check(len(hosts) == 2 and all(host["clock_steps"] == 0 and host["stores"] == 2 for host in hosts), "two hosts", hosts)
        errors = ask(server.url, "errors")["errors"]
        check(len(errors) == 1 and errors[0]["kind"] == "double-free" and errors[0]["hosts"] == 2 and
              errors[0]["count"] == 2, "one error on two hosts is one row", errors)
        check(time.time() - 600 < errors[0]["first_seen"] <= errors[0]["last_seen"] + 1, "when it was met", errors)
        check(errors[0]["access_frames"] and errors[0]["freed_frames"] and errors[0]["allocated_frames"],
              "with its three stacks", errors)
        lost = call(TOOL, "fleet", "stack", errors[0]["access"][:13], f"--server={server.url}")
        check(lost.returncode == 0, "a stack by the begin of its ID", lost.stderr)


def test_growth(directory):
    """Of a process that runs: what grows is told, and what it leaves when it ends."""
    held = Held(f"{directory}/held.stackdepot")
    spool = f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        held.order("k")
        push(server.url, spool, "--version=1", held.store)
        held.order("k")
        push(server.url, spool, "--version=1", held.store)
        check_equal(server, [held.store], "while it runs")
        grown = ask(server.url, "growth")["stacks"]
        check(grown and grown[0]["grown_bytes"] == 100000 and grown[0]["growing_hosts"] == 1 and
              grown[0]["since_version"] == "1", "what grew", grown)
        held.order("k")
        push(server.url, spool, "--version=2", held.store)
        diff = call(TOOL, "fleet", "diff", "1", "2", "--fail-on-increase=1000", f"--server={server.url}")
        check(diff.returncode == 1 and "97.7 KiB more" in diff.stdout, "a release that holds more", diff.stdout, diff.stderr)
        diff = call(TOOL, "fleet", "diff", "1", "2", "--fail-on-increase=200%", f"--server={server.url}")
        check(diff.returncode == 0, "within the limit", diff.stdout, diff.stderr)
        top = ask(server.url, "top")["stacks"][0]
        check(top["live_bytes"] == 400000 and top["left_bytes"] == 0, "it is live", top)
        held.end()
        push(server.url, spool, "--version=2", held.store)
        top = ask(server.url, "top")["stacks"][0]
        check(top["live_bytes"] == 0 and top["left_bytes"] == 400000, "and then left", top)
        check_equal(server, [held.store], "after its end")
        page = f"{directory}/flame.html"
        done = call(TOOL, "fleet", "flame", "-o", page, f"--server={server.url}")
        check(done.returncode == 0, "the page", done.stderr)
        with open(page, encoding="utf-8") as text:
            check('"keep"' in text.read(), "has the function")


def test_spool(directory):
    """A server that is down: what waits is kept, merged within the bound, and said."""
    held, spool = Held(f"{directory}/held.stackdepot"), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    bug = f"{directory}/bug.stackdepot"
    record(bug, f"{BUGS}/bug-double-free", options=("--quiet", "--memory=4M"))
    for _ in range(3):
        held.order("k")
        done = push(server.url, spool, held.store, bug, status=2)
        check("not sent yet" in done.stderr, "it says that batches wait", done.stderr)
    check(len(batches(spool)) == 3, "each moment waits", batches(spool))
    for path, _, files in os.walk(spool):
        check(not stat.S_IMODE(os.stat(path).st_mode) & 0o77, f"{path} is private")
        for name in files:
            check(not stat.S_IMODE(os.stat(f"{path}/{name}").st_mode) & 0o77, f"{path}/{name} is private")
    held.order("k")
    done = push(server.url, spool, "--spool-size=1", held.store, bug, status=2)
    check("the last figures are kept" in done.stderr and "left out" in done.stderr, "it says what it merged", done.stderr)
    check(len(batches(spool)) == 1 and rows_of(batches(spool)[0], "errors") and rows_of(batches(spool)[0], "stacks"),
          "errors and stacks stay", batches(spool))
    check(not rows_of(batches(spool)[0], "samples"), "samples are sent anew")
    held.order("k")
    push(server.url, spool, held.store, bug, status=2)
    with server:
        init(server)
        push(server.url, spool, held.store, bug)
        check(not batches(spool), "nothing waits")
        check_equal(server, [held.store, bug], "after the server was down")
        host = ask(server.url, "hosts")["hosts"][0]
        check(host["merged"] == 3 and host["shed"] > 0, "what was merged is said", host)
        errors = ask(server.url, "errors")["errors"]
        check(len(errors) == 1 and errors[0]["count"] == 1, "no error is left out", errors)
    held.end()


def test_merge(directory):
    """Batches that are merged and nothing shed: growth over them is what it was."""
    held, spool = Held(f"{directory}/held.stackdepot"), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    sizes = []
    for _ in range(5):
        held.order("k")
        push(server.url, spool, held.store, status=2)
        sizes.append(sum(os.path.getsize(f"{batch}/{name}") for batch in batches(spool) for name in os.listdir(batch)))
    held.order("k")
    push(server.url, spool, f"--spool-size={sizes[0] + 600}", held.store, status=2)
    check(len(batches(spool)) < 5, "merged", batches(spool))
    with server:
        init(server)
        push(server.url, spool, held.store)
        check_equal(server, [held.store], "merged")
        grown = ask(server.url, "growth")["stacks"][0]
        check(grown["grown_bytes"] == 500000, "growth is what it was", grown)
        check(ask(server.url, "hosts")["hosts"][0]["shed"] == 0, "nothing was shed")
    held.end()


def test_every(directory):
    """It goes on, through a server that comes up, goes and comes back, and ends by a signal."""
    held, spool = Held(f"{directory}/held.stackdepot"), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    pushing = subprocess.Popen([TOOL, "push", f"--server={server.url}", f"--spool={spool}", "--every=1", held.store],
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def until(condition, what):
        for _ in range(300):
            if condition():
                return
            time.sleep(0.1)
        check(False, what, os.listdir(spool))

    until(lambda: len(batches(spool)) >= 2, "batches wait for a server that is down")
    server.begin().wait()
    init(server)
    until(lambda: not batches(spool), "they are sent when it is there")
    server.kill()
    held.order("k")
    until(lambda: len(batches(spool)) >= 2, "and wait again")
    server.begin().wait()
    until(lambda: not batches(spool), "and are sent again")
    held.order("k")
    time.sleep(2.5)
    until(lambda: not batches(spool), "nothing waits")
    pushing.terminate()
    said = pushing.communicate(timeout=60)[1]
    check(pushing.returncode in (0, 2) and said.count("what waits is kept") == 2, "it ends, and said twice that it failed", said)
    push(server.url, spool, held.store)
    check_equal(server, [held.store], "through all of it")
    server.kill()
    held.end()


def test_killed(directory):
    """Killed at any time, many times: nothing is lost, and nothing counts twice."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        for delay in range(12):
            process = subprocess.Popen([TOOL, "push", f"--server={server.url}", f"--spool={spool}", *stores],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(0.03 * delay)
            process.kill()
            process.wait()
        push(server.url, spool, *stores)
        check_equal(server, stores, "after it was killed")
        push(server.url, spool, *stores)
        check_equal(server, stores, "and again")


def test_order(directory):
    """Batches that come twice and out of order: the last one is the last by its number."""
    held, spool = Held(f"{directory}/held.stackdepot"), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    for what in "kkfkk":
        held.order(what)
        push(server.url, spool, held.store, status=2)
    saved = f"{directory}/saved"
    shutil.copytree(os.path.dirname(batches(spool)[0]), saved)
    with server:
        init(server)
        push(server.url, spool, held.store)
        for batch in sorted(glob.glob(f"{saved}/batch-*"), reverse=True) * 2:
            for name in os.listdir(batch):
                table = name[:-3]
                with gzip.open(f"{batch}/{name}", "rt", encoding="utf-8") as text:
                    columns = {"samples": "source,stack,seq,time,service,host,version,boot,live_bytes,live_objects,left_bytes,"
                               "left_objects,alloc_bytes,allocs,bytes_variance,objects_variance,before_bytes"}.get(table)
                    if columns:
                        server.ask(f"INSERT INTO stackdepot.samples ({columns}) FORMAT TabSeparated\n" + text.read())
        check_equal(server, [held.store], "out of order, twice")
        server.ask("OPTIMIZE TABLE stackdepot.samples FINAL")
        check_equal(server, [held.store], "and merged")
    held.end()


def test_gone(directory):
    """A stack that a store has no more, as those that are evicted: it is told to hold nothing."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, spool, *stores)
        make_gone(server, spool)
        push(server.url, spool, *stores)
        check_equal(server, stores, "what is gone holds nothing")


def test_days(directory):
    """A day goes with its partitions, and the others stay right; what of it is sent again afterwards, even twice, counts once."""
    if not os.path.exists(FAKETIME):
        return "faketime"
    held, spool = Held(f"{directory}/held.stackdepot"), f"{directory}/spool"
    server = servers.one(f"{directory}/server")
    url = server.url
    held.order("k")
    push(url, spool, held.store, status=2, env=days_ago(3))
    for number in (1, 2):
        shutil.copytree(spool, f"{directory}/saved-{number}")
    old = ("--until=2d", "--since=4d")
    with server:
        init(server)
        push(url, spool, held.store, env=days_ago(3))
        push(url, f"{directory}/other", "--host=gone", held.store, env=days_ago(3))
        held.order("kk")
        push(url, spool, held.store, env=days_ago(1))
        held.order("k")
        push(url, spool, held.store)
        check_equal(server, [held.store], "three days", "WHERE host != 'gone'")
        today, then = ask(url, "top")["stacks"], ask(url, "top", *old)["stacks"]
        check(today[0]["live_bytes"] == 500000 and then[0]["live_bytes"] == 400000 and then[0]["hosts"] == 2, "today and then", today, then)
        for table in ("samples", "processes", "sources", "lost"):
            for day, in server.rows(f"SELECT DISTINCT toYYYYMMDD(time) FROM stackdepot.{table} WHERE time < now() - 2 * 86400"):
                server.ask(f"ALTER TABLE stackdepot.{table} DROP PARTITION {day}")
        check(ask(url, "top", *old)["stacks"] == [], "the day is gone")
        check_equal(server, [held.store], "without it")
        check(ask(url, "top")["stacks"] == today, "today is what it was", today, ask(url, "top")["stacks"])
        grown = ask(url, "growth")["stacks"][0]
        check(grown["grown_bytes"] == 300000 and grown["hosts"] == 1, "growth since the day after", grown)
        for number in (1, 2):
            push(url, f"{directory}/saved-{number}", held.store)
            check_equal(server, [held.store], f"the old day, {number} times again")
        check(ask(url, "top")["stacks"] == today, "today is what it was then, too", today, ask(url, "top")["stacks"])
        again = ask(url, "top", *old)["stacks"]
        check(again[0]["live_bytes"] == 200000 and again[0]["hosts"] == 1, "and the day has what the one host told", again)
    held.end()


def test_clock(directory):
    """A clock that was set is told; what is the last is not asked of it."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, spool, *stores)
        path = glob.glob(f"{spool}/*/state")[0]
        with open(path, encoding="utf-8") as text:
            first, rest = text.read().split("\n", 1)
        words = first.split(" ")
        # As if the last batch had been made at a time far ahead.
        columns = server.ask("SELECT arrayStringConcat(groupArray(name), ',') FROM system.columns WHERE table = 'samples' AND "
                             "database = 'stackdepot'").strip()
        server.ask(f"INSERT INTO stackdepot.samples ({columns}) SELECT {columns.replace('seq', 'seq + 1000000000')} FROM "
                   "stackdepot.samples")
        words[2], words[3] = str(int(words[2]) + 10 ** 9), str(int(words[3]) + 10 ** 9)
        with open(path, "w", encoding="utf-8") as text:
            text.write(" ".join(words) + "\n" + rest)
        record(stores[1], f"{BUGS}/bug-double-free", options=("--quiet", "--append"))
        push(server.url, spool, *stores)
        check_equal(server, stores, "after the clock was set")
        host = ask(server.url, "hosts")["hosts"][0]
        check(host["clock_steps"] == 1, "the step is told", host)


class Bad(http.server.BaseHTTPRequestHandler):
    """A server that is none of ours; what it does its subclass says."""
    status, body, headers_sent, delay = 200, b"", {}, 0

    def do_POST(self):
        type(self).requests.append(dict(self.headers))
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        time.sleep(self.delay)
        try:
            self.send_response(self.status)
            for name, value in self.headers_sent.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(self.body)))
            self.end_headers()
            self.wfile.write(self.body)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def bad(**members):
    handler = type("Handler", (Bad,), {**members, "requests": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, handler, f"http://127.0.0.1:{server.server_address[1]}"


def test_garbage(directory):
    """Servers that answer something else: nothing is believed, everything is kept."""
    stores = make_stores(directory)
    html = b"<html><body>Please log in\x1b[2J</body></html>"
    kinds = {"html": dict(body=html), "empty": dict(), "refusal": dict(status=403, body=html), "error": dict(status=500, body=b"\xff" * 100),
             "elsewhere": dict(status=302, headers_sent={"Location": "http://127.0.0.1:1/"}), "half": dict(body=b"1"),
             "long": dict(body=b"x" * (1 << 20))}
    for name, members in kinds.items():
        server, handler, url = bad(**members)
        spool = f"{directory}/spool-{name}"
        done = push(url, spool, *stores, status=2)
        check("\x1b" not in done.stderr and len(done.stderr) < 2000, "it says so, in few clean words", done.stderr)
        check(len(batches(spool)) == 1 and len(stored(stores[0])) > 0 and rows_of(batches(spool)[0], "samples"), "all is kept", name)
        check(handler.requests, "it was asked", name)
        server.shutdown()
    server, handler, url = bad(body=b"1\n")  # as if it had our tables, and swallowed nothing
    push(url, f"{directory}/spool-liar", *stores, status=2)
    check(rows_of(batches(f"{directory}/spool-liar")[0], "frames"), "rows are taken by an empty answer alone")
    server.shutdown()


def test_cut(directory):
    """A connection that is cut in the middle of a batch, at many places, by somebody in between."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    with servers.one(f"{directory}/server") as server:
        init(server)
        listener = socket.create_server(("127.0.0.1", 0))
        left = {"bytes": 0}

        def pump(source, sink, counts):
            try:
                while True:
                    data = source.recv(4096)
                    if counts:
                        data = data[:max(left["bytes"], 0)]
                        left["bytes"] -= len(data)
                    if not data:
                        break
                    sink.sendall(data)
            except OSError:
                pass
            for end in (source, sink):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

        def serve():
            while True:
                try:
                    client = listener.accept()[0]
                except OSError:
                    return
                other = socket.create_connection(("127.0.0.1", server.http))
                threading.Thread(target=pump, args=(client, other, True), daemon=True).start()
                threading.Thread(target=pump, args=(other, client, False), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        for bound in (300, 2000, 9000, 20000, 40000):
            left["bytes"] = bound
            call(TOOL, "push", f"--server={url}", f"--spool={spool}", *stores)
        left["bytes"] = 1 << 40
        push(url, spool, *stores)
        check_equal(server, stores, "after it was cut")
        listener.close()


def test_credentials(directory):
    """From a file of one's own, into a header; in no list of processes, no message and no spool."""
    stores, spool = make_stores(directory), f"{directory}/spool"
    secret = f"{directory}/secret"
    with open(secret, "w", encoding="utf-8") as out:
        out.write("fleet:secret of the fleet\n")
    os.chmod(secret, 0o644)
    with servers.one(f"{directory}/server") as server:
        done = call(TOOL, "push", f"--server={server.url}", f"--credentials={secret}", *stores)
        check(done.returncode == 2 and "others" in done.stderr, "a file that others read is refused", done.stderr)
        os.chmod(secret, 0o600)
        done = call(TOOL, "fleet", "init", f"--server={server.url}", f"--credentials={secret}")
        check(done.returncode == 0, "init as that user", done.stderr)
        push(server.url, spool, f"--credentials={secret}", *stores)
        check_equal(server, stores, "as that user")
        with open(secret, "w", encoding="utf-8") as out:
            out.write("fleet:wrong of the fleet\n")
        record(stores[1], f"{BUGS}/bug-clean", options=("--quiet", "--append"))
        done = push(server.url, spool, f"--credentials={secret}", *stores, status=2)
        check("wrong of" not in done.stderr, "a password is not said", done.stderr)
        for path, _, files in os.walk(spool):
            for name in files:
                with open(f"{path}/{name}", "rb") as data:
                    check(b"of the fleet" not in data.read(), "nor kept", name)
    done = call(TOOL, "push", "--server=http://user:word@127.0.0.1:1/", f"--spool={spool}", *stores)
    check(done.returncode == 2 and "word" not in done.stderr.replace("password", ""), "none in an address", done.stderr)
    done = call(TOOL, "push", "--server=http://192.0.2.1:1/", f"--credentials={secret}", f"--spool={spool}", *stores)
    check(done.returncode == 2 and "--plain" in done.stderr, "none over a line that others listen to", done.stderr)
    with open(secret, "w", encoding="utf-8") as out:
        out.write("a-token-for-a-proxy\n")
    other, handler, url = bad(status=401)
    push(url, f"{directory}/token", f"--credentials={secret}", *stores, status=2)
    check(handler.requests[0].get("Authorization") == "Bearer a-token-for-a-proxy", "a token", handler.requests[0])
    other.shutdown()


def test_slow(directory):
    """A server that says to wait is not asked again at once."""
    stores = make_stores(directory)
    server, handler, url = bad(status=503, headers_sent={"Retry-After": "2"})
    begin = time.monotonic()
    push(url, f"{directory}/spool", *stores, status=2)
    check(time.monotonic() - begin >= 4 and len(handler.requests) == 3, "three times, as far apart as it wants",
          time.monotonic() - begin, len(handler.requests))
    server.shutdown()


def longest_arguments():
    """As much as Linux lets a process begin with, in words of 130,000 bytes, and the limit of the stack that it takes."""
    stack = 64 << 20
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    if hard != resource.RLIM_INFINITY:
        stack = min(stack, hard)
    room = min(6 << 20, stack // 4) - sum(len(name) + len(value) + 10 for name, value in os.environb.items()) - (100 << 10)
    return ["x" * 130000] * (room // 130009), lambda: resource.setrlimit(resource.RLIMIT_STACK, (stack, hard))


def test_hostile(directory):
    """Names of services, hosts, releases and programs; a command line of megabytes; a store that is none."""
    spool = f"{directory}/spool"
    words, limit = longest_arguments()
    check(sum(len(word) for word in words) > 1800000, "megabytes of arguments", len(words))
    with servers.one(f"{directory}/server") as server:
        init(server)
        for number, name in enumerate(HOSTILE):
            store = f"{directory}/{number}.stackdepot"
            more = [] if number else words
            native = call(f"{BUGS}/bug-double-free", *more, preexec_fn=limit)
            done = record(store, f"{BUGS}/bug-double-free", *more, options=("--quiet", "--memory=1M"), preexec_fn=limit)
            check(done.returncode == native.returncode, "it ends as by itself", done.returncode, native.returncode, done.stderr)
            push(server.url, spool, f"--service={name}", f"--version={name}", f"--host={name}", store)
        services = ask(server.url, "services", "--limit=100")["services"]
        check(len(services) == len(HOSTILE) and all("\x1b" not in service["service"] for service in services),
              "each name is one service", services)
        for name in HOSTILE[:2] + HOSTILE[4:6] + HOSTILE[7:8]:
            found = ask(server.url, "services", f"--service={name}", f"--version={name}", f"--host={name}")["services"]
            check(len(found) == 1 and found[0]["service"] == name, "and is found by it", name, found)
        none = f"{directory}/none.stackdepot"
        with open(none, "wb") as out:
            out.write(os.urandom(100000))
        for table in ("processes", "sources", "samples"):
            found = server.ask(f"SELECT count() FROM stackdepot.{table} WHERE position(toString(tuple(*)), 'xxxx') > 0")
            check(found == "0\n", f"arguments, which may be secrets, are not in {table}", found)
        done = push(server.url, spool, none, f"{directory}/0.stackdepot", status=2)
        check("none.stackdepot" in done.stderr, "a store that is none is named", done.stderr)
        check(ask(server.url, "services", "--since=1h")["services"], "and the others are told")


def test_functions(directory):
    """Functions whose names have quotes, tabs and control bytes."""
    source = f"{directory}/names.c"
    names = ["it's", 'say_"hi"', "back\\slash\\", "brack[et],", "{curly}", "tab\there", "escape\x1b[31m", "\u202ebackwards",
             "','", "percent%s%n"]
    body = "".join(f"__attribute__((noinline)) void *f{number}(int n) {{ return keep[{number}] = malloc((unsigned)n); }}\n"
                   for number in range(len(names)))
    with open(source, "w", encoding="utf-8") as out:
        out.write("#include <stdlib.h>\nvoid *keep[99];\n" + body + "int main(void) { " +
                  "".join(f"f{number}({1000 + number}); " for number in range(len(names))) + "return 0; }\n")
    subprocess.run(["gcc", "-O1", "-fno-optimize-sibling-calls", "-o", f"{directory}/plain", source], check=True)
    words = []
    for number, name in enumerate(names):
        words.append(f"--redefine-sym=f{number}={name}")
    subprocess.run(["objcopy", *words, f"{directory}/plain", f"{directory}/names"], check=True)
    store = f"{directory}/names.stackdepot"
    record(store, f"{directory}/names", options=("--quiet", "--memory=1M"))
    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, f"{directory}/spool", store)
        check_equal(server, [store], "such names")
        found = {frame["function"] for stack in ask(server.url, "top", "--limit=100")["stacks"] for frame in stack["stack_frames"]}
        local = {frame["function"] for stack in report("top", store)["stacks"] for frame in stack["stack"]}
        check(local <= found and len(local) > len(names), "come back as they are here", local - found, found)


def test_symbols(directory):
    """A host whose program is stripped profits from another that has it whole."""
    source, program, store = f"{directory}/named.c", f"{directory}/named", f"{directory}/named.stackdepot"
    with open(source, "w", encoding="utf-8") as out:
        out.write("#include <stdlib.h>\nvoid *kept;\n__attribute__((noinline)) static void *alpha(int n)\n{\n\treturn malloc((unsigned)n);\n}\n"
                  "int main(int argc, char **argv)\n{\n\t(void)argv;\n\tkept = alpha(1234 + argc);\n\treturn !kept;\n}\n")
    subprocess.run(["gcc", "-g", "-O1", "-fno-optimize-sibling-calls", "-Wl,--build-id", "-o", f"{program}.whole", source], check=True)
    subprocess.run(["strip", "-o", program, f"{program}.whole"], check=True)
    record(store, program, options=("--quiet", "--memory=1M"))

    def functions(server):
        return {frame["function"] for stack in ask(server.url, "top", "--service=named", "--limit=100")["stacks"]
                for frame in stack["stack_frames"]}

    with servers.one(f"{directory}/server") as server:
        init(server)
        push(server.url, f"{directory}/spool", "--host=stripped", store)
        check("alpha" not in functions(server), "nobody knows the name", functions(server))
        keys = server.rows("SELECT id, key FROM stackdepot.stacks FINAL ORDER BY id")
        os.rename(f"{program}.whole", program)
        other = f"{directory}/other.stackdepot"
        record(other, program, options=("--quiet", "--memory=1M"))
        push(server.url, f"{directory}/spool", "--host=stripped", "--symbols", store)
        check("alpha" in functions(server), "another one does", functions(server))
        check(server.rows("SELECT id, key FROM stackdepot.stacks FINAL ORDER BY id") != keys, "keys are those of the names")
        push(server.url, f"{directory}/whole", "--host=whole", "--service=named", other)
        found = [stack for stack in ask(server.url, "top", "--service=named", "--limit=100")["stacks"]
                 if any(frame["function"] == "alpha" for frame in stack["stack_frames"])]
        check(len(found) == 1 and found[0]["hosts"] == 2, "both hosts are one row", found)
        check_equal(server, [store, other], "and figures are what they were")


def test_agent(directory):
    """The agent pushes what it finds, and counts."""
    agent = os.path.abspath(sys.argv[4])
    stores = make_stores(directory)
    with open(f"{directory}/python.version", "w", encoding="utf-8") as out:
        out.write("3.1\n")
    os.symlink("/etc/hostname", f"{directory}/bug.version")
    with servers.one(f"{directory}/server") as server:
        init(server)
        process = subprocess.Popen([agent, "--listen=127.0.0.1:0", "--interval=1", f"--stores={directory}", f"--push={server.url}",
                                    f"--push-spool={directory}/spool", "--push-every=1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        address = process.stdout.readline().split()[-1]
        wanted = wanted_of(stores)
        for _ in range(300):
            if told(server) == wanted:
                break
            time.sleep(0.1)
        check_equal(server, stores, "by the agent")
        time.sleep(1.5)
        with urllib.request.urlopen(address + "metrics") as answer:
            metrics = answer.read().decode()
        pushes = re.search(r"^stackdepot_agent_pushes_total (\d+)", metrics, re.M)
        check(pushes and int(pushes[1]) >= 1 and "\nstackdepot_agent_pushes_failed_total 0\n" in metrics, "it counts them", metrics[-600:])
        server.kill()
        for _ in range(300):
            with urllib.request.urlopen(address + "metrics") as answer:
                if b"\nstackdepot_agent_pushes_failed_total 0\n" not in answer.read():
                    break
            time.sleep(0.1)
        else:
            check(False, "and those that fail")
        server.begin().wait()
        services = {row["service"]: row["releases"] for row in ask(server.url, "services")["services"]}
        check(services == {"python": "3.1", "bug": ""}, "services and releases; a link beside a store is not followed", services)
        process.terminate()
        check(process.wait(timeout=20) == 0, "it ends", process.stderr.read())


if servers.missing():
    print("skipped: needs", servers.missing())
    sys.exit(77)
run_all(globals())
