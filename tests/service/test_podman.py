#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""docs/newcomer/container.md by podman itself: a layer for an image, a volume, a sidecar, a pod.

usage: test_podman.py STACKDEPOT PRELOAD PROGRAM [AGENT]

Images are made of this system's files, and nothing is fetched: no registry, no network. Takes root and podman, whose storage is in a
directory of its own.
"""
import io
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import check, eventually  # noqa: E402

TOOL, PRELOAD, PROGRAM, *AGENT = (os.path.abspath(word) for word in sys.argv[1:])
LIBRARIES = f"usr/lib/{os.uname().machine}-linux-gnu"
STORE = "/var/lib/stackdepot/web.stackdepot"
USER = "1234"
LAYER = f"""FROM localhost/web
COPY libstackdepot-preload.so /{LIBRARIES}/stackdepot/
ENV LD_PRELOAD=/usr/\\$LIB/stackdepot/libstackdepot-preload.so
ENV STACKDEPOT_OPTIONS=store={STORE}:memory=2M:mode=full
"""


class Podman:
    """One with nothing in it."""

    def __init__(self, directory):
        self.command = ["podman", "--root", f"{directory}/storage", "--runroot", f"{directory}/run", "--tmpdir", f"{directory}/tmp",
                        "--cgroup-manager=cgroupfs", "--events-backend=file", "--storage-driver=overlay"]
        self.more = []

    def call(self, *words, **more):
        return subprocess.run([*self.command, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300, check=False,
                              **more)

    def good(self, *words, **more):
        done = self.call(*words, **more)
        check(done.returncode == 0, f"podman {' '.join(words)}: {done.returncode}", done.stdout, done.stderr)
        return done.stdout.strip()

    def run(self, *words, network="none"):
        return self.good("run", "--log-driver=k8s-file", f"--network={network}", *self.more, *words)

    def image(self, name, settings, *files):
        """Of files of this system, and of what they need; each a path, or a pair: and what it is called there."""
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as tar:
            for link in ("bin", "lib", "lib64", "sbin"):
                entry = tarfile.TarInfo(link)
                entry.type, entry.linkname = tarfile.SYMTYPE, f"usr/{link}"
                tar.addfile(entry)
            for here, there in with_libraries(files).items():
                tar.add(os.path.realpath(here), there, filter=as_roots)
        words = [word for setting in settings for word in ("--change", setting)]
        done = subprocess.run([*self.command, "import", *words, "-", name], input=data.getvalue(), capture_output=True, check=False)
        check(done.returncode == 0, f"an image {name}", done.stderr)


def as_roots(entry):
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o755
    return entry


def with_libraries(files):
    found = dict(files)
    for here, _ in files:
        said = subprocess.run(["ldd", here], stdout=subprocess.PIPE, text=True, check=True).stdout
        for path in re.findall(r"(/\S+) \(0x", said):
            # As the loader asks for it: by a name in usr/, whatever links lead there.
            found[path] = path.lstrip("/") if path.startswith("/usr/") else "usr" + path
    return found


def lines_of(podman, name):
    """What the program says, once it has said it."""
    def said():
        lines = podman.good("logs", name).splitlines()
        return lines and lines[-1].startswith("descriptors") and lines

    return eventually(said, f"{name} says what it has", details=lambda: (podman.call("ps", "-a").stdout, podman.call("logs", name)))


def read(podman, *words, statuses=(0, 1)):
    """By a sidecar, which lives as long as it takes."""
    done = podman.call("run", "--rm", "--network=none", *podman.more, "-v", "stores:/var/lib/stackdepot:ro", "--user", USER, *words)
    check(done.returncode in statuses and not done.stderr, f"{words}: {done.returncode}", done.stdout, done.stderr)
    return done.stdout


def processes(podman):
    """Of the store, in their order: whether each runs, as the sidecar sees by the lock, and how many objects it holds."""
    told = json.loads(read(podman, "--entrypoint=stackdepot", "sidecar", "report", "leaks", "--json", STORE))
    return [(one["running"], one["live_objects"]) for one in told["processes"]]


def become(podman, wanted, text):
    eventually(lambda: processes(podman) == wanted, text, details=lambda: processes(podman))


def try_layer(podman, directory):
    """The image with one file and two variables more; a start, and another one."""
    shutil.copy(PRELOAD, f"{directory}/libstackdepot-preload.so")
    with open(f"{directory}/Containerfile", "w", encoding="utf-8") as out:
        out.write(LAYER)
    podman.good("build", "--network=none", "-t", "web-recorded", directory)
    podman.good("volume", "create", "stores")
    words = ("--read-only", "--user", USER, "-v", "stores:/var/lib/stackdepot:U")
    podman.run("-d", "--name=plain", "--read-only", "--user", USER, "web")
    podman.run("-d", "--name=web", *words, "web-recorded")
    seen, plain = ({line for line in lines_of(podman, name) if not line.startswith("HOSTNAME=")} for name in ("web", "plain"))
    check(seen == plain, "the program sees what it saw", seen ^ plain)
    become(podman, [(True, 500)], "it runs, and holds what it does")
    podman.good("kill", "--signal=KILL", "web")
    podman.good("wait", "web")
    become(podman, [(False, 500)], "it was killed, and left what it held")
    podman.good("start", "web")
    become(podman, [(False, 500), (True, 500)], "it goes on with its store")


def try_symbols(podman):
    """Without the image's files frames are offsets; with the image mounted they have names."""
    words = ("sidecar", "report", "leaks", STORE)
    check("hold  in" not in read(podman, "--entrypoint=stackdepot", *words), "without symbols")
    text = read(podman, "--mount=type=image,source=web,destination=/images/web", "--entrypoint=stackdepot", words[0], "--sysroot=/images/web",
                *words[1:])
    check("hold  in served" in text, "with the image's", text)


def try_agent(podman):
    """Beside it, as a container of its own, where the service is reached, too."""
    podman.run("-d", "--name=agent", "-v", "stores:/var/lib/stackdepot:ro", "--user", USER, "sidecar", network="container:web")
    line = 'stackdepot_processes{service="web",state="running"} 1\n'
    eventually(lambda: line in podman.call("exec", "agent", "curl", "-s", "http://127.0.0.1:9920/metrics").stdout,
               "the agent sees that it runs", details=lambda: podman.call("logs", "agent"))


def can_run(podman):
    """With podman's own settings; else, as where nobody may raise limits or has control groups, with less."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    limits = [f"--ulimit=nofile={limit}:{limit}", "--ulimit=nproc=4096:4096"]
    said = []
    for more in ([], limits, limits + ["--cgroups=disabled"]):
        done = podman.call("run", "--rm", "--network=none", *podman.more, *more, "--entrypoint=stackdepot", "sidecar", "--version")
        if done.returncode == 0:
            podman.more += more
            return True
        said.append(done.stderr.strip())
    print("podman runs nothing here:", *said, sep="\n")
    return False


def try_all(podman, directory):
    podman.image("web", ['ENTRYPOINT ["/usr/bin/served"]'], (PROGRAM, "usr/bin/served"))
    programs = [(TOOL, "usr/bin/stackdepot"), ("/usr/bin/curl", "usr/bin/curl")]
    programs += [(AGENT[0], "usr/bin/stackdepot-agent")] if AGENT else []
    podman.image("sidecar", ['ENTRYPOINT ["stackdepot-agent", "--stores=/var/lib/stackdepot"]', "ENV PATH=/usr/bin"], *programs)
    if not can_run(podman):
        return 77
    try_layer(podman, directory)
    try_symbols(podman)
    if AGENT and os.path.exists("/usr/bin/curl"):
        try_agent(podman)
    print("a layer, a volume, a sidecar")
    return 0


def one_hierarchy():
    """Of control groups, in this name space of mounts: podman takes no mixture of both versions."""
    if os.path.exists("/sys/fs/cgroup/unified"):
        subprocess.run(["umount", "-R", "-l", "/sys/fs/cgroup"], check=False)
        subprocess.run(["mount", "-t", "cgroup2", "none", "/sys/fs/cgroup"], check=False)


def main():
    if os.geteuid() or not shutil.which("podman"):
        print("takes root and podman")
        return 77
    if "MOUNTS" not in os.environ:
        os.execvpe("unshare", ["unshare", "--mount", sys.executable, *sys.argv], {**os.environ, "MOUNTS": "own"})
    one_hierarchy()
    with tempfile.TemporaryDirectory(dir="/var/tmp") as directory:
        podman = Podman(directory)
        try:
            return try_all(podman, directory)
        finally:
            podman.call("rm", "-f", "-a", "-t", "0")
            podman.call("volume", "rm", "-a", "-f")
            podman.call("rmi", "-f", "-a")
            subprocess.run(["umount", "-R", "-l", f"{directory}/storage/overlay"], check=False, capture_output=True)


sys.exit(main())
