# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the agent tells is what the store holds; Prometheus and pprof read it."""
import json
import os
import re
import shutil
import signal
import subprocess
import urllib.request

from agent import AGENT, BYTES, HOLD, OBJECTS, Agent, Held, check, eventually
from tool import TOOL, asleep, call, on_free_port, report, run_all

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
PPROF = os.path.abspath(os.environ["READERS"]) + "/pprof"
FAMILIES = {f"stackdepot_{name}" for name in (
    "live_bytes live_objects allocations_total allocated_bytes_total errors_total doubts_total dropped_errors_total "
    "unrecorded_objects_total recorder_bytes store_bytes sample_bytes processes process_live_bytes "
    "process_live_objects process_recorder_bytes process_allocations_total process_allocated_bytes_total "
    "agent_stores agent_age_seconds agent_look_seconds agent_memory_bytes agent_requests_total agent_refused_total "
    "agent_closed_total agent_workers_ended_total").split()}


def pprof(url, *options):
    done = call(PPROF, "-raw", "-symbolize=none", *options, url)
    check(done.returncode == 0, f"pprof {url}", done.stdout, done.stderr)
    return done.stdout


def sums(raw):
    rows = re.findall(r"^ +(-?\d+) +(-?\d+) +(-?\d+) +(-?\d+): [\d ]+$", raw, flags=re.M)
    return [sum(int(row[i]) for row in rows) for i in range(4)]


def of(raw, name):
    """Values of the stacks that a function is in, by pprof's numbers of locations."""
    places = {number for number, text in re.findall(r"^ +(\d+): (0x[^\n]*)", raw[raw.index("Locations"):], flags=re.M)
              if re.search(rf"\b{name}\b", text)}
    values = [0, 0, 0, 0]
    for row in re.findall(r"^ +(-?\d+) +(-?\d+) +(-?\d+) +(-?\d+): ([\d ]+)$", raw, flags=re.M):
        if places & set(row[4].split()):
            values = [value + int(more) for value, more in zip(values, row)]
    return values


def test_metrics(directory):
    """Both formats, against the report; what grows, what is freed, what goes wrong, who ends."""
    store = os.path.join(directory, "held.stackdepot")
    with Held(store) as held, Agent(directory) as agent:
        live = 'stackdepot_live_bytes{service="held"}'
        values = agent.metrics()
        told = report("leaks", store)
        families = {name.partition("{")[0] for name in values}
        check(families >= FAMILIES, "families", FAMILIES - families)
        check(values[live] == told["live_bytes"], "live bytes", values, told["live_bytes"])
        check(values['stackdepot_live_objects{service="held"}'] == told["live_objects"], "live objects")
        check(values['stackdepot_processes{service="held",state="running"}'] == 1, "it runs", values)
        process = next(value for name, value in values.items() if name.startswith("stackdepot_process_live_bytes"))
        check(process == values[live], "one process has all", values)
        held.order("k")
        eventually(lambda: agent.metrics()[live] == told["live_bytes"] + BYTES, "it grew by what was kept")
        held.order("f")
        eventually(lambda: agent.metrics()[live] == told["live_bytes"] - BYTES, "what was freed is gone")
        held.order("e")
        kind = 'stackdepot_errors_total{service="held",kind="slab-out-of-bounds",found="%s"}'
        eventually(lambda: agent.metrics()[kind % "later"] == 1, "the error is counted")
        check(agent.metrics()[kind % "at-once"] == 0, "and not as one that was caught at the access")
        body = agent.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
        check(body.endswith(b"\n# EOF\n") and body.count(b"# EOF") == 1, "OpenMetrics ends")
        check(b"# TYPE stackdepot_allocations counter\n" in body and b"\nstackdepot_allocations_total{" in body,
              "counters as OpenMetrics has them", body)
        held.process.stdin.close()
        held.process.wait()
        ended = 'stackdepot_processes{service="held",state="ended"}'
        eventually(lambda: agent.metrics()[ended] == 1 and agent.metrics()[live] == 0, "what ended holds nothing live")


def test_ended(directory):
    """What an ended process of a service has left is not live while another one runs."""
    store = os.path.join(directory, "again.stackdepot")
    with Held(store) as held:
        held.order("k")
    with Held(store, "--append"), Agent(directory) as agent:
        values = agent.metrics()
        check(values['stackdepot_live_objects{service="again"}'] == OBJECTS, "live is of the one that runs", values)
        check(values['stackdepot_allocations_total{service="again"}'] == 3 * OBJECTS, "allocations are of both", values)
        raw = pprof(f"http://127.0.0.1:{agent.port}/debug/pprof/heap")
        check(of(raw, "keep") == [3 * OBJECTS, 3 * BYTES, OBJECTS, BYTES], "so it is in the profile", of(raw, "keep"))


def test_rest(directory):
    """Of many processes the largest are told apart, and the sum is right all the same."""
    store = os.path.join(directory, "many.stackdepot")
    loop = f"exec 3<&0; for i in $(seq 30); do '{HOLD}' <&3 & done; wait"
    shell = subprocess.Popen([TOOL, "run", "--quiet", f"--store={store}", "--", "sh", "-c", loop], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for _ in range(30):
        check(shell.stdout.readline() == "ready\n", "each begins")
    with Agent(directory) as agent:
        values = agent.metrics()
        for what in ("live_bytes", "live_objects", "recorder_bytes"):
            rows = {name: value for name, value in values.items() if name.startswith(f"stackdepot_process_{what}")}
            rest = [value for name, value in rows.items() if 'process="rest"' in name]
            check(len(rows) == 21 and len(rest) == 1 and rest[0] > 0, f"twenty and the rest, {what}", rows)
            check(sum(rows.values()) == values[f'stackdepot_{what}{{service="many"}}'], f"they add up, {what}", values)
        rows = [name for name in values if name.startswith("stackdepot_process_allocations")]
        check(len(rows) == 20 and "rest" not in "".join(rows), "counters have no rest", rows)
    shell.stdin.close()
    shell.wait()
    shell.stdout.close()


def test_killed(directory):
    """A process that was killed is closed, as the store is one's own; and nothing of it is live."""
    store = os.path.join(directory, "killed.stackdepot")
    with Held(store) as held, Agent(directory) as agent:
        pid = agent.overview()["services"][0]["processes"][0]["pid"]
        os.kill(held.process.pid, signal.SIGKILL)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: agent.metrics()['stackdepot_live_bytes{service="killed"}'] == 0, "nothing of it is live")
        check(report("leaks", store)["processes"][0]["state"] != "running", "and the store says that it is gone",
              report("leaks", store)["processes"])


def test_promtool(directory):
    if not shutil.which("promtool"):
        return "promtool (prometheus)"
    with Held(os.path.join(directory, 'a "strange" \\ name.stackdepot')), Agent(directory) as agent:
        done = subprocess.run(["promtool", "check", "metrics"], input=agent.get("/metrics"), capture_output=True,
                              check=False)
        check(done.returncode == 0 and not done.stdout, "promtool finds nothing", done.stdout, done.stderr)
    return None


def prometheus(directory, agent, port):
    config = os.path.join(directory, "prometheus.yml")
    with open(config, "w", encoding="ascii") as file:
        file.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n- job_name: stackdepot\n"
                   f"  static_configs: [{{targets: ['127.0.0.1:{agent.port}']}}]\n")
    return subprocess.Popen(["prometheus", f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                             f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)


def test_prometheus(directory):
    """The real one scrapes it, and answers a query about what it scraped."""
    if not shutil.which("prometheus"):
        return "prometheus"
    stores = os.path.join(directory, "stores")
    os.mkdir(stores)
    with Held(os.path.join(stores, "held.stackdepot")), Agent(stores) as agent:
        server, port = on_free_port(lambda port: prometheus(directory, agent, port), "Prometheus listens")
        try:
            def query(what):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={what}") as answer:
                        rows = json.load(answer)["data"]["result"]
                except OSError:
                    return None # it has not begun
                return rows and float(rows[0]["value"][1])

            wanted = agent.metrics()['stackdepot_live_bytes{service="held"}']
            eventually(lambda: query("stackdepot_live_bytes") == wanted, "Prometheus has the figure")
            check(query("up") == 1 and query("stackdepot_allocations_total") >= OBJECTS, "and the others")
        finally:
            server.terminate()
            server.wait()
    return None


def test_pprof(directory):
    """Google's pprof reads the URLs: the same totals as the report has, and the same names."""
    store = os.path.join(directory, "held.stackdepot")
    with Held(store), Agent(directory) as agent:
        base = f"http://127.0.0.1:{agent.port}"
        told = report("top", store)
        wanted = [told[key] for key in ("allocations", "allocated_bytes", "live_objects", "live_bytes")]
        for path in ("/debug/pprof/heap", "/debug/pprof/heap?service=held", "/services/held/debug/pprof/heap"):
            raw = pprof(base + path)
            check("inuse_space/bytes[dflt]" in raw, "the default type", raw)
            check(sums(raw) == wanted, f"totals of {path}", sums(raw), wanted)
            check(of(raw, "keep") == [OBJECTS, BYTES, OBJECTS, BYTES], "what keep() holds", of(raw, "keep"))
        check("alloc_space/bytes[dflt]" in pprof(base + "/debug/pprof/allocs"), "the default type of allocs")
        pid = agent.overview()["services"][0]["processes"][0]["pid"]
        check(sums(pprof(f"{base}/debug/pprof/heap?process={pid}"))[2:] == wanted[2:], "of one process")
        for path, status in (("?service=none", 404), ("?process=1", 404), ("?seconds=x", 400), ("?seconds=-1", 400),
                             ("?seconds=9999", 400), ("?seconds=301", 400), ("?debug=1", 400)):
            found, _, body = agent.ask("/debug/pprof/heap" + path)
            check(found == status and b"/proc/" not in body, f"{path}: {found}", body)


def test_seconds(directory):
    """A difference: what was kept and what was freed meanwhile, with its sign."""
    with Held(os.path.join(directory, "held.stackdepot")) as held, Agent(directory) as agent:
        url = f"http://127.0.0.1:{agent.port}/debug/pprof/heap?seconds=3"
        for order, sign in (("k", 1), ("f", -2)):
            asked = subprocess.Popen([PPROF, "-raw", "-symbolize=none", url], stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True)
            eventually(lambda: any(map(asleep, children(agent.process.pid))), "it has looked, and waits")
            held.order(order)
            raw = asked.communicate()[0]
            kept = OBJECTS if sign > 0 else 0
            check(of(raw, "keep") == [kept, kept * 1000, sign * OBJECTS, sign * BYTES], f"after {order}",
                  of(raw, "keep"), raw)
            check(re.search(r"^Duration: 3(\.0\d*)?", raw, flags=re.M), "its duration", raw[:300])


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def test_lost(directory):
    """Not unless it is allowed, nor for another site's page; else what `report lost` finds, and the process goes on."""
    with Held(os.path.join(directory, "held.stackdepot")) as held:
        with Agent(directory) as agent:
            pid = agent.overview()["services"][0]["processes"][0]["pid"]
            path = f"/lost?service=held&process={pid}"
            check(agent.ask(path)[0] == 403 and not agent.overview()["lost"], "not without --allow-lost")
        with Agent(directory, options=("--allow-lost",)) as agent:
            check(agent.overview()["lost"], "the page has links")
            for header, code in (("cross-site", 403), ("same-site", 403), ("same-origin", 200), ("none", 200)):
                check(agent.ask(path, Sec_Fetch_Site=header)[0] == code, f"from {header}")
            check(agent.ask("/lost?service=held")[0] == 400 and agent.ask(path + "&seconds=1")[0] == 400, "of one process, now")
            check(agent.ask("/lost?service=held&process=1")[0] == 404, "a process of the service")
            status, headers, body = agent.ask(path)
            text = body.decode()
            check(status == 200 and headers["Content-Type"].startswith("text/plain"), "text", status, headers)
            check(re.search(r"^[\d.]+ \w+ lost in \d+ objects? from \d+ stacks?$", text, flags=re.M) and
                  re.search(r"stood still for [\d.]+ ms", text), "as the report has it", text)
            held.order("k") # it goes on
            eventually(lambda: agent.ask("/services/held" + path.replace("service=held&", ""))[0] == 200, "by the other path")
        with Agent(directory, options=("--allow-lost", "--rate=3")) as agent:
            codes = [agent.ask(path)[0] for _ in range(4)]
            check(429 in codes, "it costs more than the rest", codes)


def test_flame(directory):
    """The page of a service is that of `flame`."""
    with Held(os.path.join(directory, "held.stackdepot")), Agent(directory) as agent:
        status, headers, body = agent.ask("/flame?service=held")
        check(status == 200 and headers["Content-Type"].startswith("text/html"), "the page", status, headers)
        data = json.loads(re.search(rb'<script type="application/json" id="data">(.*?)</script>', body, flags=re.S)[1])
        check("keep" in data["strings"], "a function in it", data["strings"])


def test_options(directory):
    """--help of the tool, the manual and the agent know the same ones, and the unit is one."""
    words = call(TOOL, "agent", "--help").stdout
    named = set(re.findall(r"^  --([a-z-]+)=", words, flags=re.M))
    with open(os.path.join(ROOT, "man/stackdepot-agent.1"), encoding="utf-8") as file:
        manual = set(re.findall(r"^\.BI \\-\\-([a-z\\-]+)=", file.read(), flags=re.M))
    check(named == {name.replace("\\", "") for name in manual} and named, "--help and manual", named, manual)
    for name in named:
        done = call(TOOL, "agent", f"--{name}=")
        check(done.returncode == 2 and name in done.stderr or name == "token-file", f"--{name}= is known", done)
    unit = os.path.join(directory, "stackdepot-agent.service")
    with open(os.path.join(ROOT, "share/systemd/stackdepot-agent.service"), encoding="utf-8") as file:
        text = file.read()
    with open(unit, "w", encoding="utf-8") as file:
        file.write(text.replace("/usr/bin/stackdepot-agent", AGENT))
    if not shutil.which("systemd-analyze"):
        return "systemd-analyze (systemd)"
    done = call("systemd-analyze", "verify", "--man=no", unit)
    check(done.returncode == 0 and "stackdepot-agent" not in done.stderr, "systemd-analyze verify", done.stderr)
    done = call("systemd-analyze", "security", "--offline=true", "--threshold=25", unit)
    check(done.returncode == 0, "exposed as little as can be", done.stdout, done.stderr)
    return None


run_all(dict(globals()))
