# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Clients and files that mean ill, or are many: the agent goes on, within its bounds."""
import concurrent.futures
import os
import random
import resource
import selectors
import shutil
import signal
import socket
import time

from agent import AGENT, Agent, Held, check, eventually
from tool import call, run_all

with open(AGENT, "rb") as program:
    SANITIZED = b"__asan_init" in program.read()
MEMORY = (1024 if SANITIZED else 64) << 20 # of the process that serves
TOKEN = "correct-horse-battery"
CROWD = 10000
HOURS = 10 if os.environ.get("LONG") else 1


def stored(directory, name="held.stackdepot"):
    """A store of a process that has ended."""
    store = os.path.join(directory, name)
    with Held(store, "--memory=1M"):
        pass
    return store


def alive(agent):
    return agent.ask("/metrics")[0] == 200


# --- clients --------------------------------------------------------------------------------------


def connect(agent, text=b""):
    client = socket.create_connection((agent.host, agent.port))
    client.settimeout(30)
    client.sendall(text)
    return client


def closed(client):
    """How long until the other side closes it, and what it said."""
    begun, said = time.monotonic(), b""
    try:
        while more := client.recv(65536):
            said += more
    except ConnectionResetError:
        pass
    return time.monotonic() - begun, said


def test_slow(directory):
    """Some who send a byte now and then are closed after ten seconds; many are closed at once, and
    hold nobody up."""
    with Agent(directory) as agent:
        begun = time.monotonic()
        few = [connect(agent, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n") for _ in range(20)]
        still = set(few)
        while still and time.monotonic() - begun < 100:
            for client in list(still):
                try:
                    client.sendall(b"X")
                except OSError:
                    still.discard(client)
            check(alive(agent), "others are served")
            time.sleep(0.5)
        check(not still and time.monotonic() - begun > 8, "trickling does not help", time.monotonic() - begun)
        check(agent.metrics()["stackdepot_agent_closed_total"] == len(few), "each is counted", agent.metrics())
        many = [connect(agent, b"GET /") for _ in range(200)]
        begun = time.monotonic()
        check(alive(agent) and time.monotonic() - begun < 8, "two hundred hold nobody up", time.monotonic() - begun)
        for client in few + many:
            client.close()


def held_results(agent):
    """Files in memory that the agent has: two for each result."""
    folder = f"/proc/{agent.process.pid}/fd"
    links = []
    for name in os.listdir(folder):
        try:
            links.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError: # closed since
            pass
    return sum(link.startswith("/memfd:") for link in links) / 2


def test_not_taken(directory):
    """Who asks for pages and does not take them is dropped when others need the room."""
    stored(directory)
    most = 0
    with Agent(directory) as agent:
        greedy = []
        for _ in range(40):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((agent.host, agent.port))
            client.sendall(b"GET /flame HTTP/1.1\r\nHost: localhost\r\n\r\n")
            greedy.append(client)
        until = time.monotonic() + 60
        while most < 12 and time.monotonic() < until:
            most = max(most, held_results(agent))
            time.sleep(0.05)
        check(most >= 12, "so many wait to be taken", most)
        until = time.monotonic() + 10
        while most <= 16 and time.monotonic() < until:
            most = max(most, held_results(agent))
            time.sleep(0.05)
        check(most <= 16, "and no more", most)
        body = eventually(lambda: (lambda got: got[0] == 200 and got[2])(agent.ask("/flame", timeout=100)),
                          "another gets his", 100)
        check(len(body) > 10000, "all of it", len(body))
        check(alive(agent) and agent.memory() < MEMORY, "memory", agent.memory())
        for client in greedy:
            client.close()


def test_requests(directory):
    """Those that are too long, have a body, another method, or are none."""
    with Agent(directory) as agent:
        for text, codes in ((b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", (414, 431, None)),
                            (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100000 + b"\r\n\r\n", (431, 413, None)),
                            (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000\r\n\r\n", (413,)),
                            (b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n", (413,)),
                            (b"DELETE / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", (405,)),
                            (b"GET /../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", (404,)),
                            (b"GET /flame?service=%2fetc%2fpasswd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                             (404,)),
                            (b"\0\1\2\3\r\n\r\n", (400, 501, None)), (b"", (None,))):
            client = connect(agent)
            try:
                client.sendall(text)
                client.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            said = closed(client)[1]
            code = int(said.split()[1]) if said.startswith(b"HTTP/1.") else None
            check(code in codes, f"{text[:60]}: {code}", said)
            client.close()
        noise = random.Random(1)
        for _ in range(300 * HOURS):
            line = b"GET /" + noise.randbytes(noise.randrange(40)) + b" HTTP/1.1\r\nHost: localhost\r\n"
            client = connect(agent)
            try:
                client.sendall(line + noise.randbytes(noise.randrange(200)) + b"\r\n\r\n")
            except OSError:
                pass
            client.close()
        check(alive(agent) and agent.memory() < MEMORY, "it goes on")


def check_closed(agent, answers):
    """Who was not answered is one whose connection the agent says that it closed."""
    said = agent.metrics()["stackdepot_agent_closed_total"]
    check(answers.count(0) <= said, "no answer without a reason", answers.count(0), said)


def test_many(directory):
    """A few thousand requests, and more clients than may be slow: one that is may be turned away."""
    stored(directory)
    with Agent(directory) as agent:
        paths = ["/metrics", "/", "/overview.json", "/debug/pprof/", "/none", "/debug/pprof/heap"]
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            def ask(number):
                try:
                    return agent.ask(paths[5 if number % 100 == 0 else number % 5], timeout=120)[0]
                except OSError:
                    return 0
            codes = list(pool.map(ask, range(3000 * HOURS)))
        check(set(codes) <= {0, 200, 404, 503} and codes.count(200) > len(codes) / 2, "answers",
              {code: codes.count(code) for code in set(codes)})
        check_closed(agent, codes)
        check(alive(agent) and agent.memory() < MEMORY, "memory", agent.memory())
        print(f"{len(codes)} requests: { {code: codes.count(code) for code in sorted(set(codes))} }, {agent.memory() / 1048576:.1f} MiB at most")


def crowd(agent, clients):
    """That many who begin at one moment: what each was answered, 0 if he was turned away, and the most memory meanwhile."""
    waiting, answers, memory = selectors.DefaultSelector(), [], 0
    for _ in range(clients):
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((agent.host, agent.port))
        waiting.register(client, selectors.EVENT_WRITE)
    deadline = time.monotonic() + 200
    while len(answers) < clients and time.monotonic() < deadline:
        for key, events in waiting.select(1):
            client = key.fileobj
            try:
                if events & selectors.EVENT_WRITE:
                    client.send(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    waiting.modify(client, selectors.EVENT_READ)
                    continue
                said = client.recv(12)
            except OSError:
                said = b""
            answers.append(int(said[9:12] or 0))
            waiting.unregister(client)
            client.close()
            memory = max(memory, agent.memory()) if len(answers) % 100 == 0 else memory
    return answers, memory


def test_crowd(directory):
    """Ten thousand at one moment: each is answered or turned away, within the same memory, and nobody waits for ever."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limits[1] != resource.RLIM_INFINITY and limits[1] < CROWD + 100:
        print(f"{limits[1]} descriptors are too few: left out")
        return
    stored(directory)
    with Agent(directory) as agent: # which has the limit as it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (CROWD + 100, limits[1]))
        try:
            answers, memory = crowd(agent, CROWD)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        counted = {code: answers.count(code) for code in sorted(set(answers))}
        print(f"{CROWD} clients at once: {counted}, {memory / 1048576:.1f} MiB at most")
        check(len(answers) == CROWD and set(answers) <= {0, 200, 429, 503} and answers.count(200) > 100, "answers", counted)
        check_closed(agent, answers)
        check(alive(agent) and 0 < memory < MEMORY, "memory", memory)


def test_rate(directory):
    with Agent(directory, options=("--rate=1",)) as agent:
        codes = [agent.ask("/debug/pprof/")[0] for _ in range(2)]
        check(codes == [200] * 2, "two at once are not too many", codes)
        eventually(lambda: agent.ask("/debug/pprof/")[0] == 429, "too many are refused")
        eventually(lambda: agent.ask("/debug/pprof/")[0] == 200, "and some time later not any more")


# --- tokens ---------------------------------------------------------------------------------------


def token_file(directory, text=TOKEN + "\n", mode=0o600):
    path = os.path.join(directory, "token")
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(path, mode)
    return path


def test_token(directory):
    path = token_file(directory)
    with Agent(directory, options=(f"--token-file={path}",)) as agent:
        right, basic = f"Bearer {TOKEN}", "Basic YW55OmNvcnJlY3QtaG9yc2UtYmF0dGVyeQ=="
        for header in (right, basic):
            check(agent.ask("/metrics", Authorization=header)[0] == 200, f"{header} is right")
        check(agent.ask("/metrics", Authorization=right, Host="elsewhere.example")[0] == 200, "by any name then")
        for header in ("", "Bearer", "Bearer ", right[:-1], right + "x", "Bearer " + "x" * len(TOKEN), "Basic x",
                       "Basic YW55Ong=", TOKEN):
            status, headers, body = agent.ask("/metrics", **({"Authorization": header} if header else {}))
            check(status == 401 and "Basic" in headers["WWW-Authenticate"] and b"stackdepot_" not in body,
                  f"'{header}' is wrong", status)
        for path in ("/", "/overview.json", "/flame", "/debug/pprof/heap", "/none"):
            check(agent.ask(path)[0] == 401, f"{path} takes it, too")


def test_token_files(directory):
    """What is no token, and addresses that want one."""
    for text, mode in (("short\n", 0o600), ("", 0o600), (TOKEN, 0o604), (TOKEN, 0o620)):
        done = call(AGENT, "--listen=127.0.0.1:0", f"--token-file={token_file(directory, text, mode)}", timeout=120)
        check(done.returncode == 2 and "a token" in done.stderr, f"{text!r} {mode:o}", done)
    for listen in ("0.0.0.0:0", "[::]:0"):
        done = call(AGENT, f"--listen={listen}", timeout=120)
        check(done.returncode == 2 and "--token-file" in done.stderr, f"{listen} without a token", done)
    for option in ("--listen=localhost", "--listen=127.0.0.1:70000", "--rate=0", "--interval=x", "--none", "word",
                   "--worker-memory=1", "--token-file=/nonexistent"):
        done = call(AGENT, option, timeout=120)
        check(done.returncode == 2 and done.stderr, option, done)


def test_names(directory):
    """A page of a stranger's whose name leads to this host is not answered."""
    with Agent(directory) as agent:
        for name in ("localhost", "LOCALHOST:9920", "127.0.0.1", "[::1]:80"):
            check(agent.ask("/metrics", Host=name)[0] == 200, name)
        for name in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "[evil]", ""):
            check(agent.ask("/metrics", Host=name)[0] == 403, f"'{name}' is no name of this host")


# --- files ----------------------------------------------------------------------------------------


def problems(agent):
    return {one["service"]: one["problem"] for one in agent.overview()["services"]}


def test_damaged(directory):
    """Stores that are none, or were changed at random: the others are told all the same."""
    good = stored(directory)
    noise = random.Random(2)
    with open(good, "rb") as file:
        whole = file.read()
    for number in range(40 * HOURS):
        broken = bytearray(whole)
        for _ in range(noise.choice((1, 10, 1000))):
            at = noise.randrange(8192 if number % 2 else len(broken))
            broken[at] = noise.randrange(256)
        with open(os.path.join(directory, f"broken{number}.stackdepot"), "wb") as file:
            file.write(broken[:noise.choice((0, 100, 5000, len(broken), len(broken)))])
    with open(os.path.join(directory, "text.stackdepot"), "w", encoding="ascii") as file:
        file.write("none\n" * 10000)
    with Agent(directory) as agent:
        found = eventually(lambda: problems(agent) or None, "it looks", 100)
        check(found["held"] is None and found["text"], "the good one is read, another is not", found)
        check(len(found) == 40 * HOURS + 2, "all are there", found)
        for name, problem in found.items():
            status = agent.ask(f"/debug/pprof/heap?service={name}", timeout=100)[0]
            check(status in (200, 404, 503) and (not problem or status != 200), f"a profile of {name}: {status}")
        check(alive(agent) and agent.memory() < MEMORY, "memory", agent.memory())


def test_cut(directory):
    """One that is cut short while it is read: that ends a worker, not the agent."""
    stored(directory, "good.stackdepot")
    store = os.path.join(directory, "cut.stackdepot")
    whole = open(stored(directory, "whole"), "rb").read()
    with Agent(directory) as agent:
        end = time.monotonic() + 8 * HOURS
        while time.monotonic() < end:
            with open(store, "wb") as file:
                file.write(whole)
            for path in ("/metrics", "/debug/pprof/heap?service=cut"):
                client = connect(agent, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                time.sleep(random.random() / 20)
                os.truncate(store, 4096)
                client.close()
        found = problems(agent)
        check(found["good"] is None, "the good one is read", found)
        check(alive(agent), "it goes on")


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def stop_reader(agent):
    """Have it look, and stop the worker; if that has a store open just then, it stays so."""
    time.sleep(1.1)
    client = connect(agent, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    until, done = time.monotonic() + 3, False
    while not done and time.monotonic() < until:
        for worker in children(agent.process.pid):
            try:
                os.kill(worker, signal.SIGSTOP)
                with open(f"/proc/{worker}/maps", encoding="utf-8") as file:
                    done = ".stackdepot" in file.read()
                if not done:
                    os.kill(worker, signal.SIGCONT)
            except OSError:
                pass
        time.sleep(0.002)
    client.close()
    return done


def test_stuck(directory):
    """A look that does not go on: after some seconds that store is left alone, and the others are told."""
    store = stored(directory)
    for number in range(300):
        call("cp", "--sparse=always", store, os.path.join(directory, f"store{number}.stackdepot"))
    with Agent(directory, options=("--interval=30",)) as agent:
        check(not any(problems(agent).values()), "all are read")
        eventually(lambda: stop_reader(agent), "a worker is stopped while it reads")
        check(alive(agent), "who waits gets the figures from before")
        ended = eventually(lambda: agent.metrics()["stackdepot_agent_workers_ended_total"], "the worker is ended")
        check(ended == 1, "one was", ended)
        eventually(lambda: sum(problem is not None for problem in problems(agent).values()) == 1, "one store is bad")
        check(len(problems(agent)) == 301, "the others are told")


def test_links(directory):
    """From a wildcard on, no link is followed, and a store belongs to who has the directory."""
    outside, users = os.path.join(directory, "outside"), os.path.join(directory, "users")
    for path in (outside, users, f"{users}/good"):
        os.mkdir(path)
    stored(outside, "secret.stackdepot")
    stored(f"{users}/good", "good.stackdepot")
    os.symlink(outside, f"{users}/evil")
    os.symlink(f"{outside}/secret.stackdepot", f"{users}/good/link.stackdepot")
    os.mkfifo(f"{users}/good/fifo.stackdepot")
    os.mkdir(f"{users}/good/directory.stackdepot")
    with Agent(f"{users}/*") as agent:
        seen = agent.overview()
        check([one["service"] for one in seen["services"]] == ["good"], "what is seen", seen)
        check(seen["links"] == 2, "links are told", seen)
    with Agent(f"{users}/evil") as agent:
        check(list(problems(agent)) == ["secret"], "what the administrator names is followed")
    if os.geteuid():
        return None
    shutil.copy(f"{outside}/secret.stackdepot", f"{users}/good/foreign.stackdepot")
    os.chown(f"{users}/good/foreign.stackdepot", 65534, 65534)
    with Agent(f"{users}/*") as agent:
        seen = agent.overview()
        check([one["service"] for one in seen["services"]] == ["good"] and seen["foreign"] == 1, "foreign", seen)
    return None


def test_deleted(directory):
    """A store that goes, and one that comes."""
    store = stored(directory)
    with Agent(directory) as agent:
        check(list(problems(agent)) == ["held"], "it is there")
        os.unlink(store)
        status, _, body = agent.ask("/debug/pprof/heap?service=held")
        check(status in (400, 404), "there is nothing to read", status, body)
        eventually(lambda: not problems(agent), "it is gone")
        stored(directory, "other.stackdepot")
        eventually(lambda: list(problems(agent)) == ["other"], "another has come")
        shutil.rmtree(directory)
        eventually(lambda: not problems(agent), "the directory is gone")
        os.mkdir(directory)


def test_names_of_stores(directory):
    """Equal names of files are told apart by their directories; hostile ones are shown clean."""
    for name in ("a", "b"):
        os.mkdir(os.path.join(directory, name))
        stored(os.path.join(directory, name), "same.stackdepot")
    store = stored(os.path.join(directory, "a"), "x.stackdepot")
    os.rename(store, os.path.join(directory, "a", "\x1b[2J\"}\n1 <script>.stackdepot"))
    with Agent(f"{directory}/?") as agent:
        found = sorted(problems(agent))
        check(found[1:] == ["a/same", "b/same"], "names", found)
        check("\n" not in found[0] and "\x1b" not in found[0], "clean", found)
        agent.metrics()
        check(b"<script>.stack" not in agent.get("/"), "and nothing in the page")
        check(agent.ask("/services/a/same/debug/pprof/heap")[0] == 200, "a name with a slash in the path")


def test_stores(directory):
    """500 of them, and more than are told."""
    store = stored(directory)
    for number in range(499):
        call("cp", "--sparse=always", store, os.path.join(directory, f"store{number}.stackdepot"))
    with Agent(directory) as agent:
        begun = time.monotonic()
        check(len(problems(agent)) == 500 or eventually(lambda: len(problems(agent)) == 500, "all", 60), "500 stores")
        print(f"500 stores: {time.monotonic() - begun:.2f} s for the first answer, "
              f"{agent.memory() / 1048576:.1f} MiB")
        check(agent.memory() < MEMORY, "memory", agent.memory())
        values = agent.metrics()
        check(values['stackdepot_agent_stores{state="read"}'] == 500, "all are read")
        for number in range(499, 530):
            call("cp", "--sparse=always", store, os.path.join(directory, f"store{number}.stackdepot"))
        old = os.path.join(directory, "store7.stackdepot")
        os.utime(old, (1, 1))
        eventually(lambda: agent.metrics()['stackdepot_agent_stores{state="left_out"}'] == 19, "the rest is told")
        found = problems(agent)
        check(len(found) == 512 and "store7" not in found and "store529" in found, "the youngest are read")


def test_short_of_memory(directory):
    """A picture that takes more than it may is not made, and that is said."""
    stored(directory)
    with Agent(directory, options=("--worker-memory=16",)) as agent:
        status, _, body = agent.ask("/flame")
        check(status in (200, 503), "made or not", status, body)
        check(alive(agent), "it goes on")


def test_end(directory):
    """At once, whatever is going on, and with its workers."""
    with Held(os.path.join(directory, "held.stackdepot")):
        for path in ("/debug/pprof/heap?seconds=100", "/flame", "/metrics", None):
            agent = Agent(directory)
            client = connect(agent, f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() if path else b"")
            time.sleep(0.3)
            agent.end()
            client.close()
    check(not call("pgrep", "-f", f"stores={directory}$").stdout, "no process is left")


run_all(dict(globals()))
