#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_ask.py TOOL BUGS HOLD - questions to a fleet of 1,000 hosts.

Fifty programs are recorded and pushed. What was pushed of them is then told again as if by 1,000 hosts of five services that
went through ten releases in ten days; from release 7 on a stack of one service leaks on three hosts of ten. Other stacks go up
and down by chance, and warm up after each restart.
"""
import glob
import gzip
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
import uuid

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import BUGS, HOLD, LATEST, ask, init, numbers, push, stored, total  # noqa: E402
from tool import TOOL, call, check, record, run_all  # noqa: E402

HOSTS, RELEASES, DAY, LEAK = 1000, 10, 86400, 1 << 20  # bytes a day
MOMENTS = 4  # of each release
STACKS = 15  # of each program, those with most
PER_SERVICE = 10
LEAKING = {"service": "python", "from": 7, "share": 0.3}
BOOT = str(uuid.uuid5(uuid.NAMESPACE_DNS, "boot"))
SAMPLES = ("source,stack,seq,time,service,host,version,boot,live_bytes,live_objects,left_bytes,left_objects,alloc_bytes,allocs,"
           "bytes_variance,objects_variance,before_bytes")
SOURCES = "source,seq,time,service,host,version,boot,path,running,processes,live_bytes"
QUIET = ("--quiet", "--memory=4M")


def redis(store, number):
    server = shutil.which("redis-server", path=os.environ["PATH"] + ":/usr/bin")
    process = subprocess.Popen([TOOL, "run", *QUIET, "--store", store, "--", server, "--port", "0", "--save", "", "--unixsocket",
                                f"{store}.socket"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/tmp")
    for _ in range(200):
        if os.path.exists(f"{store}.socket"):
            break
        time.sleep(0.05)
    call("redis-cli", "-s", f"{store}.socket", "eval", f"for i=1,{100 * number + 100} do redis.call('set', i, i) end", "0")
    call("redis-cli", "-s", f"{store}.socket", "shutdown", "nosave")
    process.wait()


class Postgres:
    """One that is asked by itself, without a server; it does not run as root, and who it runs as need not see where this was built."""

    def __init__(self, directory):
        self.tools = max(glob.glob("/usr/lib/postgresql/*/bin"))
        self.user = None if os.geteuid() else "nobody"
        self.place, copy = f"{directory}/postgres", f"{directory}/bin"
        os.chmod(directory, 0o755)
        for source, to in ((TOOL, "cli"), (f"{os.path.dirname(TOOL)}/../recorder/libstackdepot-preload.so", "recorder")):
            os.makedirs(f"{copy}/{to}")
            shutil.copy(source, f"{copy}/{to}")
        self.tool = f"{copy}/cli/{os.path.basename(TOOL)}"
        os.mkdir(self.place)
        if self.user:
            shutil.chown(self.place, self.user)
        self.run(f"{self.tools}/initdb", "-D", f"{self.place}/data", "-U", "test", "-A", "trust", "--locale=C", "--no-sync")

    def run(self, *command, **more):
        done = call(*command, cwd=self.place, user=self.user, **more)
        check(done.returncode == 0, f"{command}", done.stdout, done.stderr)

    def record(self, number):
        store = f"{self.place}/postgres{number}.stackdepot"
        query = f"create table t{number} as select i, md5(i::text) as m from generate_series(1, {1000 * number + 1000}) as i\n"
        self.run(self.tool, "run", *QUIET, "--store", store, "--", f"{self.tools}/postgres", "--single", "-D", f"{self.place}/data",
                 "-c", "dynamic_shared_memory_type=mmap", "postgres", input=query)
        return store


def record_all(directory):
    """Fifty stores by service."""
    stores = {name: [] for name in ("python", "postgres", "redis", "node", "hold")}
    postgres = Postgres(directory)
    for number in range(PER_SERVICE):
        paths = {name: f"{directory}/{name}{number}.stackdepot" for name in stores}
        record(paths["python"], "/usr/bin/python3", "-S", "-c", f"x = [str(i) * 9 for i in range({500 * number + 500})]", options=QUIET)
        paths["postgres"] = postgres.record(number)
        redis(paths["redis"], number)
        record(paths["node"], "node", "-e", f"x = Array({100 * number + 100}).fill().map((_, i) => Buffer.alloc(9000 + i))", options=QUIET)
        record(paths["hold"], HOLD, input="k" * number, options=QUIET)
        for name, path in paths.items():
            stores[name].append(path)
    return stores


def push_all(server, directory, stores):
    """Each service, to a server that is down at first: its rows are looked at where they wait."""
    rows = {}
    for service, paths in stores.items():
        spool = f"{directory}/spool-{service}"
        push(server.url, spool, f"--service={service}", "--host=real", "--version=0", *paths, status=2)
        with gzip.open(glob.glob(f"{spool}/*/batch-*/samples.gz")[0], "rt", encoding="utf-8") as text:
            for line in text:
                columns = line.rstrip("\n").split("\t")
                rows.setdefault(service, {}).setdefault(columns[0], []).append(columns)
    return rows


def check_service(server, service, paths):
    """What its stores have together, stack by stack."""
    where = f"WHERE service = '{service}'"
    sums = {}
    for row in server.rows(LATEST.format(keys="source, stack", where=where)):
        known = sums.setdefault(row[1], [0] * 4)
        for column in range(4):
            known[column] += float(row[2 + column])
    found, wanted = sorted(numbers(row) for row in sums.values() if any(row)), stored(*paths)
    if service == "node": # code that it made lies elsewhere in each process: its stacks are one
        found, wanted = [total(found)], [total(wanted)]
    check(found == wanted, f"{service}: the server has what ten stores have", [row for row in found if row not in wanted][:5],
          [row for row in wanted if row not in found][:5])


class Simulated:
    """A host: a program of its service, whose figures move."""

    def __init__(self, number, service, program, leaks):
        self.host, self.service, self.leaks = f"host{number:04}", service, leaks
        self.source = str(uuid.uuid5(uuid.NAMESPACE_DNS, self.host))
        self.chance = random.Random(number)
        self.stacks = [(row[1], int(float(row[8]) + float(row[10])) + 64, row[12]) for row in program]
        self.last = {}

    def live(self, number, size, release, moment):
        warm = (moment + 1) / MOMENTS if number % 5 == 0 else 1
        bytes_ = int(size * warm * self.chance.uniform(0.9, 1.1)) if number else size
        if not number and self.leaks and release >= LEAKING["from"]:
            bytes_ += LEAK * moment // (MOMENTS - 1)
        return bytes_

    def rows(self, release, moment, at, samples, sources):
        seq = at * 1000
        labels = f"{self.service}\t{self.host}\t{release}.0\t{BOOT}"
        for number, (stack, size, allocated) in enumerate(self.stacks):
            live = self.live(number, size, release, moment)
            before = self.last.get(stack, live) if moment else live
            self.last[stack] = live
            samples.append(f"{self.source}\t{stack}\t{seq}\t{at}\t{labels}\t{live}\t{live // 64}\t0\t0\t{allocated}\t1\t0\t0\t{before}\n")
        sources.append(f"{self.source}\t{seq}\t{at}\t{labels}\t/x\t1\t1\t{sum(self.last.values())}\n")


def simulate(server, rows):
    """What each host holds in the end."""
    chance, services = random.Random(17), sorted(rows)
    hosts = []
    for number in range(HOSTS):
        service = services[number % len(services)]
        programs = [sorted(program, key=lambda row: -float(row[8]) - float(row[10]))[:STACKS]
                    for _, program in sorted(rows[service].items())]
        leaks = service == LEAKING["service"] and chance.random() < LEAKING["share"]
        hosts.append(Simulated(number, service, programs[number // len(services) % len(programs)], leaks))
    begin = int(time.time()) - RELEASES * DAY - 60
    for release in range(1, RELEASES + 1):
        samples, sources = [], []
        for moment in range(MOMENTS):
            at = begin + (release - 1) * DAY + moment * (DAY // MOMENTS) + 1
            for host in hosts:
                host.rows(release, moment, at, samples, sources)
        chance.shuffle(samples)
        server.ask(f"INSERT INTO stackdepot.samples ({SAMPLES}) FORMAT TabSeparated\n" + "".join(samples))
        server.ask(f"INSERT INTO stackdepot.sources ({SOURCES}) FORMAT TabSeparated\n" + "".join(sources))
    return hosts


def check_growth(server, hosts):
    leaky = [host for host in hosts if host.leaks]
    found = ask(server.url, "growth", "--since=11d", "--limit=5")["stacks"]
    first = found[0]
    print(f"growth: {first['service']} since {first['since_version']} on {first['growing_hosts']} of {first['hosts']}; "
          f"{first['grown_bytes']} bytes; next {found[1]['grown_bytes']}")
    check(first["service"] == LEAKING["service"] and first["since_version"] == f"{LEAKING['from']}.0", "service and release", found[:2])
    check(first["stack"] in {host.stacks[0][0] for host in leaky} and first["stack_frames"], "the stack", first)
    check(first["growing_hosts"] == len(leaky), "its hosts", first["growing_hosts"], len(leaky))
    check(first["grown_bytes"] == LEAK * (RELEASES + 1 - LEAKING["from"]) * len(leaky), "to the byte", first)
    check(first["grown_bytes"] > 1.5 * found[1]["grown_bytes"], "nothing else comes near: what warms up does so again in each release", found[1])
    held = sum(host.last.get(stack[0], 0) for host in hosts for stack in host.stacks if host.service == first["service"] and
               stack[0] == first["stack"])
    check(first["live_bytes"] == held, "what is live, once, and not once in each release", first, held)
    # A time that ends before it begins has nothing in it.
    done = call(TOOL, "fleet", "stack", first["stack"], "--since=60s", "--until=70s", f"--server={server.url}")
    check(done.returncode in (0, 1), "--until before --since", done.returncode, done.stderr)
    answer = ask(server.url, "stack", first["stack"], "--since=11d")
    one, trend = answer["releases"], answer["trend"]
    lines = {line["service"]: line["live_bytes"] for line in trend["services"]}
    check(lines[first["service"]][-1] == held, "where the line ends", lines, held)
    begun = sum(stack[1] for host in hosts for stack in host.stacks[:1] if host.service == first["service"] and stack[0] == first["stack"])
    early = lines[first["service"]][len(lines[first["service"]]) // 2]
    check(begun <= early < begun + LEAK and early < held / 2, "and what it was before the leak", early, begun, held)
    grown = {row["release"]: row["grown_bytes"] for row in one}
    check(all((grown[f"{release}.0"] > 0) == (release >= LEAKING["from"]) for release in range(1, RELEASES + 1)), "release by release", grown)


def check_top(server, hosts):
    held = {}
    for host in hosts:
        for stack, size in host.last.items():
            held[host.service, stack] = held.get((host.service, stack), 0) + size
    found = ask(server.url, "top", "--limit=1000", "--since=20h")["stacks"]
    sums = {}
    for row in found:
        sums[row["service"]] = sums.get(row["service"], 0) + row["live_bytes"]
    real = {service: 0 for service in sums}
    for (service, _), size in held.items():
        real[service] += size
    check(sums == real, "what all hosts hold, to the byte", sums, real)
    few = ask(server.url, "top", "--limit=1000", "--since=20h", "--host=host0007")["stacks"]
    check(sum(row["live_bytes"] for row in few) == sum(hosts[7].last.values()), "and one host")
    services = ask(server.url, "services", "--since=20h")["services"]
    check({row["service"]: row["live_bytes"] for row in services} == real, "services", services)
    check(len(ask(server.url, "hosts", "--limit=2000", "--since=20h")["hosts"]) == HOSTS + 1, "hosts")


def check_diff(server):
    words = ["fleet", "diff", "--since=11d", f"--server={server.url}", f"--service={LEAKING['service']}"]
    done = call(TOOL, *words, "6.0", "8.0", "--fail-on-increase=100k")
    check(done.returncode == 1, "release 8 holds more than 6", done.stdout, done.stderr)
    done = call(TOOL, *words, "3.0", "5.0", "--fail-on-increase=5%")
    check(done.returncode == 0, "release 5 does not hold more than 3", done.stdout, done.stderr)
    done = call(TOOL, *words, "3.0", "77.0")
    check(done.returncode == 2 and "77.0" in done.stderr, "a release that is not there", done.stderr)


def check_grafana(server):
    """Its queries, with its variables filled in as it does, have an answer; its figures are the agent's."""
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    with open(f"{root}/share/grafana/fleet.json", encoding="utf-8") as text:
        board = json.load(text)
    with open(f"{root}/src/agent/metrics.c", encoding="utf-8") as text:
        known = set(re.findall(r'"(stackdepot_\w+)"', text.read()))
    variables = {variable["name"] for variable in board["templating"]["list"]}
    check(len({panel["id"] for panel in board["panels"]}) == len(board["panels"]), "panels are told apart")
    taken = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        check(not cells & taken and at["x"] + at["w"] <= 24, f"{panel['title']}: lies by itself", at)
        taken |= cells
        for target in panel["targets"]:
            used = set(re.findall(r"\$\{(\w+)", json.dumps(target)))
            check(used <= variables, f"{panel['title']}: its variables are there", used - variables)
            if "expr" in target:
                names = {name.removesuffix("_total") for name in re.findall(r"stackdepot_\w+", target["expr"])}
                check(names and names <= known, f"{panel['title']}: figures of the agent's", names - known)
                continue
            sql = target["rawSql"].replace("$__timeFilter(time)", "time >= now() - 11 * 86400 AND time <= now()")
            sql = sql.replace("${service:singlequote}", "'python','redis','node'")
            check("$" not in sql, f"{panel['title']}: nothing else is to be filled in", sql)
            rows = server.ask(sql + " FORMAT TabSeparatedWithNames").splitlines()
            check(len(rows) > 1 or panel["title"] == "Errors", f"{panel['title']}: has an answer", rows)
            if panel["type"] == "timeseries":
                check(rows[0].split("\t") == ["time", "metric", "value"], f"{panel['title']}: columns", rows[0])


def test_fleet(directory):
    if not all(shutil.which(name) for name in ("redis-server", "redis-cli", "node")) or not glob.glob("/usr/lib/postgresql/*/bin/initdb"):
        return "redis, node and postgresql"
    begin = time.monotonic()

    def took(what):
        print(f"{time.monotonic() - begin:.1f} s: {what}", flush=True)

    stores = record_all(directory)
    took("fifty programs recorded")
    server = servers.one(f"{directory}/server")
    rows = push_all(server, directory, stores)
    with server:
        init(server)
        for service, paths in stores.items():
            push(server.url, f"{directory}/spool-{service}", f"--service={service}", "--host=real", "--version=0", *paths)
        took("pushed")
        for service, paths in stores.items():
            check_service(server, service, paths)
        took("compared")
        hosts = simulate(server, rows)
        took(f"{HOSTS} hosts simulated")
        check_growth(server, hosts)
        check_top(server, hosts)
        check_diff(server)
        check_grafana(server)
        page = f"{directory}/flame.html"
        done = call(TOOL, "fleet", "flame", "-o", page, "--service=redis", f"--server={server.url}")
        check(done.returncode == 0 and os.path.getsize(page) > 10000, "the page", done.stderr)
    return None


if __name__ == "__main__":
    if servers.missing():
        print("skipped: needs", servers.missing())
        sys.exit(77)
    run_all(globals())
