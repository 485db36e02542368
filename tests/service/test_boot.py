#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot service` under a systemd that runs, in a container over this system's own files.

usage: test_boot.py STACKDEPOT PRELOAD PROGRAM [ROOT]

Outside it puts an empty layer over ROOT (/), boots systemd there with nothing but this script as its
work, and prints what it says. With `--inside` it is that work. Takes root and systemd-nspawn; RESTARTS=N is 100; TESTS chooses.
With ROOT, a fresh system in which the packages are installed, their tool is used. The units of the packages, for the agent and for
pushing, run there, too, as root of that system installed them; what is pushed goes to a ClickHouse, if there is one.
"""
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
RESTARTS = int(os.environ.get("RESTARTS", "100"))
CHOSEN = os.environ.get("TESTS", "").split()
UNITS = "/etc/systemd/system"
# systemd's own, which differ from start to start.
CHANGING = {"INVOCATION_ID", "SYSTEMD_EXEC_PID", "JOURNAL_STREAM"}
# Each alone and all together.
HARDENED = {
    "plain": "",
    "user": "User=nobody\n",
    "dynamic": "DynamicUser=yes\n",
    "state": "DynamicUser=yes\nStateDirectory=own more\n",
    "strict": "ProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nReadOnlyPaths=/\n",
    "nowx": "MemoryDenyWriteExecute=yes\n",
    "filter": "SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\nSystemCallArchitectures=native\n",
    "users": "User=nobody\nPrivateUsers=yes\nNoNewPrivileges=yes\n",
    "all": "DynamicUser=yes\nProtectSystem=strict\nProtectHome=yes\nPrivateTmp=yes\nPrivateDevices=yes\nPrivateUsers=yes\n"
           "ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectControlGroups=yes\nProtectProc=invisible\nProcSubset=pid\n"
           "NoNewPrivileges=yes\nCapabilityBoundingSet=\nRestrictAddressFamilies=AF_UNIX\nRestrictNamespaces=yes\n"
           "RestrictSUIDSGID=yes\nLockPersonality=yes\nMemoryDenyWriteExecute=yes\nSystemCallFilter=@system-service\n"
           "SystemCallFilter=~@privileged @resources\nSystemCallArchitectures=native\nUMask=0077\nPrivateNetwork=yes\nRemoveIPC=yes\n",
}


def say(*words):
    print(*words, flush=True)


def fail(text, *details):
    say("FAILED", text)
    for detail in details:
        say(detail)
    sys.exit(1)


def check(condition, text, *details):
    if not condition:
        fail(text, *details)


def call(*words, timeout=500, **more):
    return subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, **more)


def good(*words):
    done = call(*words)
    check(done.returncode == 0, f"{' '.join(words)}: status {done.returncode}", done.stdout, done.stderr)
    return done.stdout


# --- inside ------------------------------------------------------------------------------------------

def systemctl(*words):
    return good("systemctl", *words)


def unit(name, lines, before=""):
    with open(f"{UNITS}/{name}.service", "w", encoding="utf-8") as file:
        file.write(f"[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nType=exec\nExecStart={PROGRAM}\n"
                   f"{before}StandardOutput=truncate:/said/{name}\nStandardError=journal\nTimeoutStopSec=5\n{lines}")
    systemctl("daemon-reload")


def environment(name):
    """What its program was started with, but for what is never twice the same."""
    for _ in range(2000):
        with open(f"/said/{name}", encoding="utf-8") as file:
            lines = file.read().splitlines()
        if lines and lines[-1].startswith("descriptors "):
            return sorted(line for line in lines if line.split("=")[0] not in CHANGING)
        time.sleep(0.05)
    return fail(f"{name} says nothing", call("systemctl", "status", name).stdout)


def store_of(name):
    return f"/var/lib/stackdepot/{name}/{name}.stackdepot"


def report(name, *words):
    done = call(TOOL, "report", *words, store_of(name))
    check(done.returncode < 2, f"report {words} of {name}", done.stdout, done.stderr)
    return done.stdout


def journal(name):
    return good("journalctl", "--no-pager", "-o", "cat", "-u", name)


def test_hardened():
    for name, lines in HARDENED.items():
        unit(name, lines)
        systemctl("start", name)
        plain = environment(name)
        done = call(TOOL, "service", "enable", "--restart", "--mode=full", "--memory=2M", name)
        check(done.returncode == 0 and re.search(r"^  process \d+ runs, recorded$", done.stdout, flags=re.M), f"{name}: enable",
              done.stdout, done.stderr, journal(name))
        notes = [line for line in done.stderr.splitlines() if "MemoryDenyWriteExecute" not in line]
        check(not notes and ("MemoryDenyWriteExecute" in done.stderr) == ("DenyWrite" in lines), f"{name}: notes", done.stderr)
        recorded = environment(name)
        check(recorded == plain, f"{name}: the program's environment", set(recorded) ^ set(plain))
        systemctl("stop", name)
        text = report(name, "leaks", "--all")
        check(re.search(r"500 objects", text) and "hold" in text, f"{name}: the report", text)
        check("\n0 different errors" in report(name, "errors"), f"{name}: no errors", report(name, "errors"))
        systemctl("start", name)
        check("recorded" in good(TOOL, "service", "status", name), f"{name}: started again")
        check("stackdepot:" not in journal(name), f"{name}: nothing in the journal", journal(name))
        good(TOOL, "service", "disable", name)
        systemctl("restart", name)
        check(environment(name) == plain, f"{name}: as it was")
        systemctl("stop", name)
        say(f"  {name}")


def test_restarts():
    """One store of one size, however often."""
    unit("again", "DynamicUser=yes\n")
    good(TOOL, "service", "enable", "--restart", "--mode=full", "--memory=2M", "again")
    size = os.stat(store_of("again")).st_size
    for _ in range(RESTARTS):
        systemctl("restart", "again")
        environment("again")
    systemctl("stop", "again")
    listed = os.listdir(os.path.dirname(store_of("again")))
    check(listed == ["again.stackdepot"] and os.stat(store_of("again")).st_size == size == 2 << 20, "one store", listed)
    status = good(TOOL, "service", "status", "again")
    check(f"{RESTARTS + 1} processes, 0 running" in status, "each start", status)
    check(f"{RESTARTS + 1} processes" in report("again", "leaks") and "hold" in report("again", "leaks"), "in the report",
          report("again", "leaks"))
    systemctl("start", "again")
    systemctl("kill", "--signal=KILL", "again")
    for _ in range(2000):
        if call("systemctl", "is-active", "again").stdout.strip() in ("failed", "inactive"):
            break
        time.sleep(0.05)
    systemctl("start", "again")
    check("1 running" in good(TOOL, "service", "status", "again"), "after a kill", good(TOOL, "service", "status", "again"))
    systemctl("stop", "again")


def test_other_commands():
    """What runs as root beside the user of the service does not take the store from it, and the journal says so."""
    unit("beside", "User=nobody\n", before=f"ExecStartPre=+{PROGRAM} once\nExecStartPre={PROGRAM} once\n")
    done = call(TOOL, "service", "enable", "--restart", "--memory=2M", "beside")
    check("runs, recorded" in done.stdout, "beside", done.stdout, done.stderr, journal("beside"))
    lines = [line for line in journal("beside").splitlines() if line.startswith("stackdepot:")]
    check(len(lines) == 1 and "same-owner" in lines[0], "one line of the command that is root's", journal("beside"))
    check(" 2 processes" in good(TOOL, "service", "status", "beside"), "two of three", good(TOOL, "service", "status", "beside"))
    systemctl("stop", "beside")


def test_own_preload():
    unit("preload", f"Environment=LD_PRELOAD={os.path.dirname(PRELOAD)}/nothing.so\n")
    systemctl("start", "preload")
    plain = environment("preload")
    good(TOOL, "service", "enable", "--restart", "--memory=2M", "preload")
    check(environment("preload") == plain and any("LD_PRELOAD=" in line for line in plain), "LD_PRELOAD of its own",
          environment("preload"))
    systemctl("stop", "preload")


def test_no_room():
    """A store that cannot be made: the service runs, and the journal and status say why."""
    unit("full", "LimitFSIZE=1M\n")
    done = call(TOOL, "service", "enable", "--restart", "--force", "full")
    check("not recorded" in done.stdout and "RLIMIT_FSIZE" in journal("full"), "status and journal", done.stdout, journal("full"))
    # Nothing is written where standard error is not the journal's.
    unit("silent", "LimitFSIZE=1M\nStandardError=truncate:/said/silent-error\n")
    call(TOOL, "service", "enable", "--restart", "--force", "silent")
    environment("silent")
    check(not os.path.getsize("/said/silent-error"), "its standard error is its own")
    systemctl("stop", "full", "silent")


def test_masked():
    systemctl("mask", "--runtime", "full")
    done = call(TOOL, "service", "enable", "full")
    check(done.returncode == 2 or "UNIT" not in done.stderr, "masked", done.stderr)


# --- units of the packages ---------------------------------------------------------------------------

def eventually(holds, text):
    for _ in range(2400):
        found = holds()
        if found:
            return found
        time.sleep(0.05)
    return fail(text, found, journal("stackdepot-push"), journal("stackdepot-agent"))


def change(name, lines):
    """As `systemctl edit`."""
    write(f"{UNITS}/{name}.service.d/test.conf", "[Service]\n" + lines)
    systemctl("daemon-reload")


def unchanged(*names):
    for name in names:
        shutil.rmtree(f"{UNITS}/{name}.service.d")
    systemctl("daemon-reload")


# Of a user who is there, of one who is there while it runs, of root; each with its store.
KINDS = {"fixed": "User=nobody\n", "dynamic2": "DynamicUser=yes\nProtectSystem=strict\nPrivateUsers=yes\n", "root": ""}


def start_kinds():
    for name, lines in KINDS.items():
        unit(name, lines)
        good(TOOL, "service", "enable", "--restart", "--mode=full", "--memory=2M", name)
        environment(name)
        check("1 running" in good(TOOL, "service", "status", name), f"{name} runs")


def stop_kinds():
    for name in KINDS:
        systemctl("stop", name)
        good(TOOL, "service", "disable", name)


def held(name):
    """Bytes and objects of its store."""
    stacks = json.loads(good(TOOL, "export", "--format=json", store_of(name)))["stacks"]
    return sum(one["live_bytes"] for one in stacks), sum(one["live_objects"] for one in stacks)


TOLD = """SELECT service, sum(b), sum(o), sum(l) FROM (SELECT service, source, stack, argMax(live_bytes + left_bytes, seq) AS b,
 argMax(live_objects + left_objects, seq) AS o, argMax(left_objects, seq) AS l FROM stackdepot.samples GROUP BY service, source, stack)
 GROUP BY service ORDER BY service"""


def told(server):
    """Beside those of the tests before."""
    return {name: tuple(float(number) for number in numbers) for name, *numbers in server.rows(TOLD) if name in KINDS}


def is_told(server):
    """Of each service, which runs, what it holds."""
    return told(server) == {name: (*held(name), 0.0) for name in KINDS}


def ended(name):
    """In peace, at once, and without a word."""
    systemctl("stop", name)
    result = systemctl("show", "-p", "Result", "-p", "ExecMainStatus", name).split()
    check(set(result) == {"Result=success", "ExecMainStatus=0"}, f"{name} ends", result, journal(name))
    return [line for line in journal(name).splitlines() if re.match(r"stackdepot(-agent)?: ", line)]


def clickhouse():
    """None, with a line that says so, if there is none."""
    sys.path.insert(0, "/tests/fleet")
    servers = __import__("servers")
    if servers.missing():
        say("  left out: needs", servers.missing())
        return None
    return servers.one("/server")


def credentials():
    """Root's; and what has no rights but to read stores reads it."""
    write("/etc/stackdepot/push", "fleet:secret of the fleet\n")
    os.chmod("/etc/stackdepot/push", 0o600)


def try_push(server):
    """The unit as it is, but for its server and its pace."""
    change("stackdepot-push", f'Environment="PUSH_OPTIONS=--server={server.url} --credentials=/etc/stackdepot/push --every=1"\n')
    systemctl("start", "stackdepot-push")
    eventually(lambda: is_told(server), "each service is told")
    state = os.stat("/var/cache/private/stackdepot-push")
    check(state.st_mode & 0o777 == 0o700 and state.st_uid, "its spool is its own", oct(state.st_mode), state.st_uid)
    server.kill()
    systemctl("restart", "root")
    eventually(lambda: "what waits is kept" in journal("stackdepot-push"), "a server that is gone")
    server.begin().wait()
    eventually(lambda: told(server).get("root", (0, 0))[:2] == held("root"), "it comes later")
    lines = ended("stackdepot-push")
    check(len(lines) == 1, "one line, of the server that was gone", lines)
    systemctl("start", "stackdepot-push")
    systemctl("restart", "fixed")
    eventually(lambda: told(server)["fixed"][:2] == held("fixed"), "it goes on with its spool")
    check(ended("stackdepot-push") == lines, "and has nothing more to say", journal("stackdepot-push"))
    sources = {name: number for name, number in server.rows("SELECT service, uniqExact(source) FROM stackdepot.samples GROUP BY service")}
    check(set(KINDS) <= set(sources) and set(sources.values()) == {"1"}, "each store is one source", sources)


def get(path):
    with urllib.request.urlopen(f"http://127.0.0.1:9920/{path}", timeout=120) as answer:
        return answer.read()


def got(path):
    """Nothing, as long as it does not answer, or not what was asked."""
    try:
        return get(path)
    except OSError:
        return b""


def metrics():
    return got("metrics").decode()


def try_agent(server):
    """The unit as it is; then pushing, too, as docs/agent.md has it."""
    wanted = [f'stackdepot_processes{{service="{name}",state="running"}} 1\n' for name in KINDS]
    systemctl("start", "stackdepot-agent")
    eventually(lambda: all(line in metrics() for line in wanted), "each service is seen to run")
    for name in KINDS:
        check(gzip.decompress(get(f"debug/pprof/heap?service={name}")), f"a profile of {name}")
    check(b"</html>" in get("flame?service=dynamic2"), "a picture")
    check(ended("stackdepot-agent") == [line for line in journal("stackdepot-agent").splitlines() if "http://127" in line],
          "it says where it listens, and no more", journal("stackdepot-agent"))
    if not server:
        return
    server.ask("TRUNCATE TABLE stackdepot.samples")
    change("stackdepot-agent", "CacheDirectory=stackdepot-push\nExecStart=\nExecStart=/usr/bin/stackdepot-agent --push-every=1 "
           f"--push={server.url} --push-credentials=/etc/stackdepot/push --push-spool=/var/cache/stackdepot-push/agent\n")
    systemctl("start", "stackdepot-agent")
    eventually(lambda: {name: found[:2] for name, found in told(server).items()} == {name: held(name) for name in KINDS}, "by the agent")
    eventually(lambda: b'"dynamic2"' in got("fleet/services"), "what it asks")
    check("stackdepot_agent_pushes_failed_total 0\n" in metrics(), "no push fails", metrics()[-800:])
    ended("stackdepot-agent")


def test_units():
    """Who pushes, and the agent, as the packages have them: they read each service's store, and no more is forbidden than should be."""
    missing = [name for name in ("stackdepot-fleet", "stackdepot-agent") if not os.path.exists(f"/usr/bin/{name}")]
    if missing:
        return say("  left out: needs", *missing)
    start_kinds()
    credentials()
    server = clickhouse()
    if server:
        with server:
            good("stackdepot-fleet", "fleet", "init", f"--server={server.url}")
            try_push(server)
            try_agent(server)
        unchanged("stackdepot-push", "stackdepot-agent")
    else:
        try_agent(None)
    return stop_kinds()


def inside():
    os.makedirs("/said", exist_ok=True)
    os.chmod("/said", 0o777)
    for name, test in list(globals().items()):
        if name.startswith("test_") and (not CHOSEN or name[5:] in CHOSEN):
            say(name[5:])
            test()
    check(not call(TOOL, "service", "disable", "--all").returncode, "disable --all")
    left = [name for name in os.listdir(UNITS) if name.endswith(".service.d")]
    check(not left, "left behind", left)
    say("all good")


# --- outside -----------------------------------------------------------------------------------------

TARGET = """[Unit]
DefaultDependencies=no
Wants=stackdepot-test.service
"""
WORK = """[Unit]
DefaultDependencies=no
Wants=systemd-journald.service
After=systemd-journald.service
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
Environment=PATH=/usr/sbin:/usr/bin:/sbin:/bin RESTARTS={restarts} "TESTS={tests}"
ExecStart=/usr/bin/python3 {script} --inside {words}
StandardOutput=file:/said-all
StandardError=inherit
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def copy(source, target):
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(source, target)


def put_units(root):
    """Of the build, where packages would put them; what they did put there stays. And what starts a ClickHouse."""
    for name in ("fleet", "agent"):
        built = f"{os.path.dirname(TOOL)}/../{name}/stackdepot-{name}"
        if os.path.exists(built):
            copy(built, f"{root}/usr/bin/stackdepot-{name}")
    for name in ("stackdepot-push.service", "stackdepot-agent.service"):
        if not os.path.exists(f"{root}/lib/systemd/system/{name}"):
            copy(f"{HERE}/../../share/systemd/{name}", f"{root}{UNITS}/{name}")
    copy(f"{HERE}/../fleet/servers.py", f"{root}/tests/fleet/servers.py")
    copy(f"{HERE}/../common/tool.py", f"{root}/tests/common/tool.py")


def boot(root):
    script = "/test_boot.py"
    shutil.copy(__file__, root + script)
    put_units(root)
    write(f"{root}{UNITS}/stackdepot-test.target", TARGET)
    write(f"{root}{UNITS}/stackdepot-test.service",
          WORK.format(script=script, words=f"{TOOL} {PRELOAD} {PROGRAM}", restarts=RESTARTS, tests=" ".join(CHOSEN)))
    for name in ("machine-id", "hostname"):
        if os.path.lexists(f"{root}/etc/{name}"):
            os.remove(f"{root}/etc/{name}")
    done = call("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--link-journal=no", "--resolv-conf=off",
                "--timezone=off", "--private-network", "--directory", root, "--boot", "--", "--unit=stackdepot-test.target", timeout=1500)
    said = root + "/said-all"
    if not os.path.exists(said):
        say("systemd does not boot here:", done.stdout[-2000:], done.stderr[-2000:])
        return 77
    with open(said, encoding="utf-8") as file:
        text = file.read()
    say(text)
    return 0 if text.endswith("all good\n") else 1


def outside(lower):
    if os.geteuid() or not shutil.which("systemd-nspawn"):
        say("takes root and systemd-nspawn (Debian: systemd-container)")
        return 77
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        if call("mount", "-t", "tmpfs", "-o", "size=512M", "tmpfs", directory).returncode:
            return 77
        try:
            for name in ("upper", "work", "root"):
                os.mkdir(f"{directory}/{name}")
            done = call("mount", "-t", "overlay", "-o",
                        f"lowerdir={lower},upperdir={directory}/upper,workdir={directory}/work", "overlay", f"{directory}/root")
            if done.returncode:
                say("no overlay here:", done.stderr)
                return 77
            try:
                return boot(f"{directory}/root")
            finally:
                call("umount", f"{directory}/root")
        finally:
            call("umount", "-l", directory)


if __name__ == "__main__":
    INSIDE = sys.argv[1] == "--inside"
    TOOL, PRELOAD, PROGRAM, *REST = sys.argv[2 if INSIDE else 1:]
    sys.exit(inside() if INSIDE else outside(REST[0] if REST else "/"))
