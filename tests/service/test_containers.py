#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Two containers and a volume, as docs/newcomer/container.md has them: one is recorded, the other reads.

usage: test_containers.py STACKDEPOT PRELOAD PROGRAM [AGENT]

Containers are name spaces of every kind but users, each with a root of its own (a layer over this system's), and no capability. The
sidecar's root does not have the program. Takes root.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import check  # noqa: E402

TOOL, PRELOAD, PROGRAM, *AGENT = sys.argv[1:]
USER = 1234
STORE = "/var/lib/stackdepot/web.stackdepot"


def mount(*words):
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


class Container:
    """A root with the volume in it; `read_only` is how it has that."""

    def __init__(self, directory, name, volume, read_only):
        base = f"{directory}/{name}"
        self.root = base + "/root"
        for part in ("upper", "work", "root"):
            os.makedirs(f"{base}/{part}")
        self.good = mount("-t", "overlay", "-o", f"lowerdir=/,upperdir={base}/upper,workdir={base}/work", "overlay", self.root)
        if not self.good:
            return
        os.makedirs(self.root + "/var/lib/stackdepot", exist_ok=True)
        mount("--bind", "/dev", self.root + "/dev")
        mount("--bind", volume, self.root + "/var/lib/stackdepot")
        if read_only:
            mount("-o", "remount,bind,ro", self.root + "/var/lib/stackdepot")

    def start(self, *words, net=True, **variables):
        """As root of name spaces of its own, and then as a user without rights."""
        command = ["unshare", "--mount", "--pid", "--ipc", "--uts", *(["--net"] if net else []), "--fork", "--kill-child",
                   "--root", self.root, "--mount-proc", "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
                   "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", *words]
        environment = {"PATH": "/usr/bin:/bin", "HOME": "/", **variables}
        # So that the recorder comes to the program alone.
        if variables:
            command[-len(words):] = ["env", *(f"{name}={value}" for name, value in variables.items()), *words]
            environment = {"PATH": "/usr/bin:/bin", "HOME": "/"}
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=environment)

    def run(self, *words):
        process = self.start(*words)
        out, errors = process.communicate(timeout=300)
        return process.returncode, out, errors

    def close(self):
        subprocess.run(["umount", "-R", "-l", self.root], check=False, capture_output=True)


def kill(process):
    """The container's first process, which unshare waits for: who changes his user is not killed with his parent."""
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as file:
        for child in file.read().split():
            os.kill(int(child), signal.SIGKILL)
    process.wait()


def service(container):
    process = container.start(PROGRAM, LD_PRELOAD=PRELOAD,
                              STACKDEPOT_OPTIONS=f"store={STORE}:memory=2M:mode=full")
    said = []
    while not said or not said[-1].startswith("descriptors"):
        line = process.stdout.readline()
        check(line, "the service ends", said)
        said.append(line)
    check(not any("STACKDEPOT" in line or "LD_PRELOAD" in line for line in said), "what the program sees", said)
    return process


def json_of(sidecar, *words):
    status, out, errors = sidecar.run(TOOL, *words)
    check(status < 2 and not errors, f"{words}", status, out, errors)
    return json.loads(out)


def report(sidecar, process, volume, starts):
    """Whether it runs, what it holds, by which functions; and the program is not here."""
    told = json_of(sidecar, "report", "leaks", "--json", STORE)
    check([one["running"] for one in told["processes"]] == [False] * (starts - 1) + [True], "who runs", told)
    check([one["live_objects"] for one in told["processes"]] == [500] * starts, "what each holds", told)
    status, text, errors = sidecar.run(TOOL, "report", "leaks", STORE)
    check("running" in text and "hold  in" not in text and status < 2, "running, without symbols", text, errors)
    status, text, errors = sidecar.run(TOOL, "--sysroot=/images/web", "report", "leaks", STORE)
    check("hold  in served" in text, "with the image's symbols", text, errors)
    if AGENT:
        serve(sidecar)
    kill(process)
    text = sidecar.run(TOOL, "report", "leaks", STORE)[1]
    check("running" not in text.replace("0 of them running", "") and "hold" not in text and "objects" in text, "killed", text)
    check(os.listdir(volume) == ["web.stackdepot"], "one file", os.listdir(volume))


def serve(sidecar):
    process = sidecar.start(AGENT[0], "--listen=127.0.0.1:0", "--stores=/var/lib/stackdepot", net=False)
    address = process.stdout.readline()
    if not address:
        check(False, "the agent does not listen", process.stderr.read())
    address = address.split()[-1]
    with urllib.request.urlopen(address + "metrics", timeout=120) as answer:
        text = answer.read().decode()
    check('stackdepot_processes{service="web",state="running"} 1\n' in text, "the agent sees that it runs", text)
    live = next(line for line in text.splitlines() if line.startswith('stackdepot_live_objects{service="web"'))
    check(float(live.split()[-1]) >= 500, "and what it holds", live)
    kill(process)


def test(directory):
    volume = directory + "/volume"
    os.mkdir(volume)
    os.chown(volume, USER, USER)
    web, sidecar = Container(directory, "web", volume, False), Container(directory, "sidecar", volume, True)
    try:
        if not (web.good and sidecar.good):
            print("no overlay here")
            return 77
        os.remove(sidecar.root + PROGRAM)
        os.makedirs(sidecar.root + "/images/web")
        mount("--bind", web.root, sidecar.root + "/images/web")
        for starts in (1, 2):
            process = service(web)
            try:
                report(sidecar, process, volume, starts)
            finally:
                if process.poll() is None:
                    kill(process)
            print("recorded, and read", starts)
        check("2 processes" in sidecar.run(TOOL, "report", "leaks", STORE)[1], "two starts in one store")
        return 0
    finally:
        sidecar.close()
        web.close()


def main():
    if os.geteuid() or not shutil.which("unshare"):
        print("takes root and unshare")
        return 77
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        if not mount("-t", "tmpfs", "-o", "size=512M,mode=755", "tmpfs", directory):
            return 77
        try:
            return test(directory)
        finally:
            subprocess.run(["umount", "-l", directory], check=False)


sys.exit(main())
