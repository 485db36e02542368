# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What the tests of the agent share: recorded programs that do as they are told, and an agent."""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import TOOL, check, eventually  # noqa: E402, F401

AGENT, HOLD = (os.path.abspath(word) for word in sys.argv[2:4])
BYTES, OBJECTS = 100000, 100  # that hold.c keeps at a time


class Held:
    """A recorded hold.c."""

    def __init__(self, store, *options):
        self.store = store
        self.process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={store}", *options, "--",
                                         HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, text=True)
        check(self.process.stdout.readline() == "ready\n", "hold.c begins")

    def order(self, what):
        self.process.stdin.write(what)
        self.process.stdin.flush()
        check(self.process.stdout.readline() == "done\n", f"hold.c does {what}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Agent:
    """One that serves the stores of PLACES."""

    def __init__(self, *places, options=(), listen="127.0.0.1:0", **more):
        self.process = subprocess.Popen([AGENT, f"--listen={listen}", "--interval=1", "--rate=100000", *options,
                                         *(f"--stores={place}" for place in places)], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, **more)
        line = self.process.stdout.readline()
        found = re.fullmatch(r"stackdepot-agent: http://(.*):(\d+)/\n", line)
        if not found:
            self.process.kill()
        check(found, "the agent says where it listens", line, self.process.communicate()[1] if not found else "")
        self.host, self.port = found[1].strip("[]"), int(found[2])

    def ask(self, path, method="GET", timeout=60, **headers):
        """Status, headers and body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.request(method, path, headers={name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path, **headers):
        status, _, body = self.ask(path, **headers)
        check(status == 200, f"GET {path}: {status}", body)
        return body

    def overview(self):
        return json.loads(self.get("/overview.json"))

    def metrics(self, path="/metrics", **headers):
        """Values by name with its labels."""
        lines = [line for line in self.get(path, **headers).decode("utf-8").splitlines() if not line.startswith("#")]
        names = [line.rpartition(" ")[0] for line in lines]
        check(len(set(names)) == len(names), "each series is there once", sorted(names))
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def memory(self):
        """Resident bytes at most of the process that serves."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) * 1024

    def end(self, within=20):
        """By SIGTERM; what it had to say."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1]
        check(self.process.returncode == 0, f"the agent ends with {self.process.returncode}", said)
        check(time.monotonic() - begun < within, "the agent ends at once")
        return said

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
        elif self.process.poll() is None:
            self.end()
