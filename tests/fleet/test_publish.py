#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_publish.py TOOL BUGS HOLD - stackdepot push --format=pprof and otlp, to a server that writes down what it is sent.

Pyroscope, Parca and the collector of OpenTelemetry are not in Debian: what is sent is read by protoc, with the profile.proto of
Debian and with otlp.proto, and its sums are those of the store.
"""
import base64
import contextlib
import email.parser
import email.policy
import gzip
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from fleet import HOLD, stored, total  # noqa: E402
from tool import TOOL, call, check, eventually, record, run_all  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PPROF = "/usr/share/gocode/src/github.com/google/pprof/proto"
HOSTILE = "a{b=c,d}\"e\x1b"


def decode(directory, message, file, data):
    done = subprocess.run(["protoc", f"--decode={message}", "-I", directory, file], input=data, stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode()
    check(not re.search(r"^ *\d+: ", text, flags=re.M), "a field that is not known", text[:500])
    return text


class Recorder:
    """A server that answers as it is told, and keeps what it was asked."""

    def __init__(self, status=200, body=b""):
        self.requests = requests = []
        self.answers = answers = [(status, body)]
        self.body_of = self.status_of = None # of what was asked, instead
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                data = b""
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while size := int(self.rfile.readline(), 16):
                        data += self.rfile.read(size)
                        self.rfile.readline()
                    self.rfile.readline()
                else:
                    data = self.rfile.read(int(self.headers["Content-Length"]))
                requests.append((self.path, self.headers, data))
                status, body = answers.pop(0) if len(answers) > 1 else answers[0]
                if recorder.body_of:
                    body = recorder.body_of(data)
                if recorder.status_of:
                    status = recorder.status_of(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def publish(url, *words, status=0, form="pprof"):
    done = call(TOOL, "push", f"--format={form}", f"--server={url}", "--host=here", *words)
    check(done.returncode == status, f"push {words}: {done.returncode}", done.stderr)
    return done.stderr


def left(directory):
    """A store of a program that has ended, with what it left."""
    store = f"{directory}/web.stackdepot"
    record(store, HOLD, input="kkk", options=("--quiet", "--memory=4M"))
    with open(f"{directory}/web.version", "w", encoding="utf-8") as out:
        out.write("1.7\n")
    return store


def live(store):
    """Bytes and objects, of all stacks."""
    return total(stored(store))[:2]


def check_pprof(raw, store):
    text = decode(PPROF, "perftools.profiles.Profile", "profile.proto", gzip.decompress(raw))
    values = [int(value) for value in re.findall(r"^  value: (-?\d+)", text, flags=re.M)]
    octets, objects = live(store)
    check(text.count("sample_type {") == 2 and (sum(values[0::2]), sum(values[1::2])) == (objects, octets), "what is live, and only that",
          sum(values[0::2]), sum(values[1::2]), octets, objects)
    at = int(re.search(r"^time_nanos: (\d+)", text, flags=re.M)[1])
    check(abs(at / 1e9 - time.time()) < 600, "of this moment", at)
    check('"keep"' in text, "with names", text[-500:])


def test_pyroscope(directory):
    """A form, with labels in the query."""
    store = left(directory)
    with Recorder() as server:
        publish(f"{server.url}/ingest", store)
        path, headers, data = server.requests[0]
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        check(path.startswith("/ingest?") and query["name"] == "web{host=here,version=1.7}" and query["format"] == "pprof", "query", query)
        check(abs(int(query["from"]) - time.time()) < 600 and query["from"] == query["until"], "a moment", query)
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
            b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + data)
        parts = {part.get_param("name", header="content-disposition"): part.get_payload(decode=True) for part in form.iter_parts()}
        types = json.loads(parts["sample_type_config"])
        check(set(types) == {"inuse_objects", "inuse_space"} and types["inuse_space"]["aggregation"] == "average", "how they are summed up", types)
        check_pprof(parts["profile"], store)
        publish(f"{server.url}/ingest", f"--service={HOSTILE}", f"--version={HOSTILE}", store)
        name = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(server.requests[1][0]).query))["name"]
        check(re.fullmatch(r"[^{},=\"]+\{host=here,version=[^{},=\"]+\}", name), "a hostile name is one name", name)


def test_parca(directory):
    """JSON, with the profile in base64."""
    store = left(directory)
    with Recorder(body=b"{}") as server:
        publish(f"{server.url}/api/profiles/writeraw", f"--service={HOSTILE}", store)
        path, headers, data = server.requests[0]
        check(path == "/api/profiles/writeraw" and headers["Content-Type"] == "application/json", "a request", path, headers)
        one = json.loads(data)["series"][0]
        labels = {label["name"]: label["value"] for label in one["labels"]["labels"]}
        check(labels["__name__"] == "memory" and labels["host"] == "here" and labels["version"] == "1.7" and '"e' in labels["service"],
              "labels", labels)
        check_pprof(base64.b64decode(one["samples"][0]["rawProfile"], validate=True), store)


def test_otlp(directory):
    """Two profiles with a dictionary; only if asked for twice."""
    store = left(directory)
    with Recorder(body=b"\n\0") as server:
        said = publish(f"{server.url}/v1development/profiles", store, form="otlp", status=2)
        check("--experimental" in said and not server.requests, "not by itself", said)
        publish(f"{server.url}/v1development/profiles", "--experimental", store, form="otlp")
        path, headers, data = server.requests[0]
        check(path == "/v1development/profiles" and headers["Content-Type"] == "application/x-protobuf", "a request", path, headers)
        text = decode(HERE, "Request", "otlp.proto", gzip.decompress(data))
        sums = [sum(int(value) for value in re.findall(r"^ +values: (\d+)", part, flags=re.M))
                for part in re.split(r"^    profiles \{", text, flags=re.M)[1:]]
        octets, objects = live(store)
        check(sums == [objects, octets], "what is live", sums, octets, objects)
        for key, value in (("service.name", "web"), ("service.version", "1.7"), ("host.name", "here")):
            check(re.search(rf'key: "{key}"\s+value \{{\s+string_value: "{value}"', text), f"{key}", text[:600])
        check_dictionary(text)


def check_dictionary(text):
    """Whatever is referred to is there, and the first of each table is none."""
    tables = {name: re.findall(rf"^  {name} \{{\n(.*?)^  \}}", text, flags=re.M | re.S) for name in (
        "mapping_table", "location_table", "function_table", "link_table", "attribute_table", "stack_table")}
    strings = re.findall(r'^  string_table: (".*")$', text, flags=re.M)
    for name, entries in tables.items():
        check(entries and not entries[0].strip(), f"{name} begins with none", entries[:2])
    check(strings[0] == '""' and '"keep"' in strings, "strings", strings[:5])
    for field, table in (("stack_index", "stack_table"), ("location_indices", "location_table"), ("function_index", "function_table"),
                         ("mapping_index", "mapping_table"), ("attribute_indices", "attribute_table")):
        numbers = [int(value) for value in re.findall(rf"^ +{field}: (\d+)", text, flags=re.M)]
        check(numbers and max(numbers) < len(tables[table]), f"{field} is in {table}", max(numbers, default=None), len(tables[table]))
    check(max(int(value) for value in re.findall(r"_strindex: (\d+)", text)) < len(strings), "texts")


def test_answers(directory):
    """What is not taken is said; a page of a proxy is no acknowledgement; credentials are as HTTP has them, and in no message."""
    store, secret = left(directory), f"{directory}/secret"
    with open(secret, "w", encoding="utf-8") as out:
        out.write("user:secret of the fleet\n")
    os.chmod(secret, 0o600)
    with Recorder(status=503) as server:
        said = publish(f"{server.url}/ingest", f"--credentials={secret}", store, status=2)
        check(len(server.requests) == 3 and "503" in said and "not told" in said and "secret of" not in said, "three times", said)
        check(server.requests[0][1]["Authorization"] == "Basic " + base64.b64encode(b"user:secret of the fleet").decode(), "who asks")
        server.answers[:] = [(503, b""), (200, b"")]
        publish(f"{server.url}/ingest", store)
    with Recorder(body=b"<html>log in</html>") as server:
        check("something else" in publish(f"{server.url}/ingest", store, status=2), "a page is no acknowledgement")
    with Recorder(status=400, body=b"\x1b[31mno") as server:
        said = publish(f"{server.url}/ingest", store, status=2)
        check(len(server.requests) == 1 and "400" in said and "\x1b" not in said, "what is refused is not sent again", said)
    check("/ingest" in publish(f"{server.url}/", store, status=2), "which server it is the address says")


def test_every(directory):
    """It goes on; what has ended is not told again and again."""
    left(directory)
    process = subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={directory}/alive.stackdepot", "--", HOLD],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    check(process.stdout.readline() == "ready\n", "hold.c begins")
    with Recorder() as server:
        push = subprocess.Popen([TOOL, "push", "--format=pprof", f"--server={server.url}/ingest", "--every=1", f"--stores={directory}"],
                                stderr=subprocess.PIPE, text=True)
        for _ in range(600):
            if len(server.requests) >= 3:
                break
            time.sleep(0.1)
        names = {service_of(path) for path, _, _ in server.requests}
        check(len(server.requests) >= 3 and names == {"alive"}, "what runs, each time", names, len(server.requests))
        push.send_signal(signal.SIGTERM)
        said = push.communicate(timeout=60)[1]
        check(push.returncode == 0 and not said, "it ends in peace", push.returncode, said)
    process.communicate()


def service_of(path):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))["name"].split("{")[0]


def test_missed(directory):
    """Of each store it is said when its moments are not taken, once, and how many they were when they are again."""
    holds = {name: subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={directory}/{name}.stackdepot", "--", HOLD],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
             for name in ("bad", "good", "worse")}
    for hold in holds.values():
        check(hold.stdout.readline() == "ready\n", "hold.c begins")
    refused, answers = {"bad", "worse"}, []

    def status_of(path):
        answers.append((service_of(path), 400 if service_of(path) in refused else 200))
        return answers[-1][1]

    def times(name, status):
        return list(answers).count((name, status))

    with Recorder() as server:
        server.status_of = status_of
        push = subprocess.Popen([TOOL, "push", "--format=pprof", f"--server={server.url}/ingest", "--every=1", f"--stores={directory}"],
                                stderr=subprocess.PIPE, text=True)
        eventually(lambda: times("good", 200) >= 3 and all(times(name, 400) >= 3 for name in refused), "three rounds")
        refused.discard("bad")
        eventually(lambda: times("bad", 200) >= 2, "one is taken again")
        push.send_signal(signal.SIGTERM)
        said = push.communicate(timeout=60)[1]
    for name in ("bad", "worse"):
        check(said.count(f"this moment of {directory}/{name}.stackdepot is not told") == 1, f"{name}: when it begins", said)
        counts = re.findall(rf"(\d+) moments of {directory}/{name}\.stackdepot were not told", said)
        check(counts == [str(times(name, 400))], f"{name}: and how many", counts, times(name, 400), said)
    check("good.stackdepot" not in said, "nothing of what was taken", said)
    for hold in holds.values():
        hold.communicate()


@contextlib.contextmanager
def held(directory, name="web"):
    """A store, of a hold.c that runs."""
    store = f"{directory}/{name}.stackdepot"
    with subprocess.Popen([TOOL, "run", "--quiet", "--memory=4M", f"--store={store}", "--", HOLD], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        check(process.stdout.readline() == "ready\n", "hold.c begins")
        try:
            yield store
        finally:
            process.stdin.close()


def read_back(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_unread(directory):
    """A store that cannot be read meanwhile is neither taken nor gone: those moments are counted, too."""
    away, log, statuses, status = f"{directory}/away", f"{directory}/said", [], [503]

    def status_of(_):
        statuses.append(status[0])
        return status[0]

    with held(directory) as store, Recorder() as server, open(log, "w", encoding="utf-8") as out:
        server.status_of = status_of
        with subprocess.Popen([TOOL, "push", "--format=pprof", f"--server={server.url}/ingest", "--every=1", store], stderr=out) as push:
            try:
                eventually(lambda: len(statuses) >= 2, "two moments are not taken")
                os.rename(store, away)
                eventually(lambda: read_back(log).count("No such file") >= 2, "two are not read")
                os.rename(away, store)
                before = len(statuses)
                eventually(lambda: len(statuses) >= before + 2, "and two not taken again")
                status[0] = 200
                eventually(lambda: "were not told" in read_back(log), "it is over")
            finally:
                push.terminate()
    said = read_back(log)
    check(said.count("is not told") == 1, "it begins once", said)
    wanted = statuses.count(503) + said.count("No such file")
    check(re.findall(r"(\d+) moments of .* were not told", said) == [str(wanted)], "each moment", wanted, said)


# Where the library is asked for one thing, another happens first, once: SIGTERM, or a refusal.
BETWEEN = """#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
static void comes(const char *where)
{
	const char *wanted = getenv("BETWEEN");
	if (!wanted || __builtin_strcmp(wanted, where))
		return;
	unsetenv("BETWEEN");
	raise(SIGTERM);
}
int nanosleep(const struct timespec *time, struct timespec *left)
{
	comes("sleep");
	return NEXT(nanosleep)(time, left);
}
int clock_nanosleep(clockid_t clock, int flags, const struct timespec *time, struct timespec *left)
{
	comes("sleep");
	return NEXT(clock_nanosleep)(clock, flags, time, left);
}
int ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *time, const sigset_t *mask)
{
	comes("sleep");
	return NEXT(ppoll)(fds, nr, time, mask);
}
int sigtimedwait(const sigset_t *set, siginfo_t *about, const struct timespec *time)
{
	comes("sleep");
	return NEXT(sigtimedwait)(set, about, time);
}
pid_t fork(void)
{
	pid_t pid = NEXT(fork)();
	if (!pid)
		comes("fork");
	return pid;
}
long syscall(long number, ...)
{
	const char *wanted = getenv("BETWEEN");
	long words[6];
	va_list list;
	int i;
	va_start(list, number);
	for (i = 0; i < 6; i++)
		words[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_capset && wanted && !__builtin_strcmp(wanted, "capset")) {
		errno = EPERM;
		return -1;
	}
	return NEXT(syscall)(number, words[0], words[1], words[2], words[3], words[4], words[5]);
}
"""


def between(directory, where):
    """An environment in which that happens."""
    with open(f"{directory}/between.c", "w", encoding="utf-8") as out:
        out.write(BETWEEN)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", f"{directory}/between.so", f"{directory}/between.c"], check=True)
    return {**os.environ, "LD_PRELOAD": f"{directory}/between.so", "BETWEEN": where}


def test_ended(directory):
    """By a signal that comes when it begins to wait; and one that comes to a reader of a store at once ends that."""
    with held(directory) as store, Recorder() as server:
        words = (TOOL, "push", "--format=pprof", f"--server={server.url}/ingest", "--every=3600", store)
        done = call(*words, env=between(directory, "sleep"), timeout=600)
        check(done.returncode == 0 and len(server.requests) == 1 and not done.stderr, "it does not wait", done.returncode, done.stderr)
        log = f"{directory}/said"
        with open(log, "w", encoding="utf-8") as out, subprocess.Popen(words, env=between(directory, "fork"), stderr=out) as push:
            try:
                eventually(lambda: "by signal 15" in read_back(log) or len(server.requests) > 1, "its first moment")
            finally:
                push.terminate()
        check("by signal 15" in read_back(log), "the reader ends", read_back(log))
        check(len(server.requests) == 1, "and tells nothing", len(server.requests))


def test_rights(directory):
    """Who cannot give up what he may reads nothing for a stranger; who may nothing has nothing to give up."""
    if os.geteuid():
        return "root"
    store = left(directory)
    os.chmod(directory, 0o755)
    os.chmod(store, 0o644)
    environment = between(directory, "capset")
    with Recorder() as server:
        words = (TOOL, "push", "--format=pprof", f"--server={server.url}/ingest", store)
        done = call(*words, env=environment)
        check(done.returncode == 2 and done.stderr == "stackdepot: capabilities cannot be given up: Operation not permitted\n"
              and not server.requests, "with rights", done.returncode, done.stderr)
        done = call("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words, env=environment)
        check(done.returncode == 0 and not done.stderr and len(server.requests) == 1, "without", done.returncode, done.stderr)
    return None


if __name__ == "__main__":
    if not shutil.which("protoc") or not os.path.exists(PPROF):
        print("skipped: needs protoc and golang-github-google-pprof-dev")
        sys.exit(77)
    run_all(globals())
