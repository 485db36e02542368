#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_tls.py TOOL BUGS HOLD AGENT - certificates: who is told, and who is not even asked.

An authority and what it signs are made by openssl. Before a real ClickHouse stands a server of TLS that counts what it is sent when the
handshake is over: of somebody who does not trust it nothing, and so no credentials.
"""
import glob
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import check_equal, init, push, settled, small  # noqa: E402
from tool import TOOL, call, check, eventually, run_all  # noqa: E402

AGENT = os.path.abspath(sys.argv[4])
SECRET = "secret of the fleet"
KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


def openssl(directory, *words):
    done = call("openssl", *words, cwd=directory)
    check(done.returncode == 0, f"openssl {words}", done.stderr)


def authority(directory, name):
    openssl(directory, "req", "-x509", *KEY, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "30",
            "-subj", f"/CN={name} of a test")
    return f"{directory}/{name}.crt"


def certificate(directory, name, by="good", hosts="DNS:localhost,IP:127.0.0.1", days="30"):
    """Signed by an authority; with its key in one file."""
    with open(f"{directory}/{name}.names", "w", encoding="ascii") as out:
        out.write(f"subjectAltName={hosts}\n")
    openssl(directory, "req", *KEY, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", days,
            "-extfile", f"{name}.names", "-out", f"{name}.crt")
    return f"{directory}/{name}.crt", f"{directory}/{name}.key"


class Front:
    """TLS on loopback before a port that has none. `sent` is what clients sent once the handshake was over."""

    def __init__(self, port, files, cut=1 << 40):
        self.port, self.sent, self.left = port, 0, cut
        self.use(files)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def use(self, files):
        """From the next client on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        self.context = context

    def serve(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        try:
            with self.context.wrap_socket(client, server_side=True) as inner, \
                    socket.create_connection(("127.0.0.1", self.port)) as outer:
                while self.pass_on(inner, outer):
                    pass
        except OSError:
            pass

    def pass_on(self, inner, outer):
        """What is there to be read; False: one end closed it, or it is to be cut off."""
        for source in [inner] if inner.pending() else select.select([inner, outer], [], [])[0]:
            data = source.recv(16384)
            if source is inner:
                self.sent += len(data)
                self.left -= len(data)
            if not data or self.left <= 0:
                return False
            (outer if source is inner else inner).sendall(data)
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


def credentials(directory):
    path = f"{directory}/credentials"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
        out.write(f"fleet:{SECRET}\n")
    return f"--credentials={path}"


def fleet(url, *words, status=0):
    done = call(TOOL, "fleet", "services", f"--server={url}", *words)
    check(done.returncode == status, f"fleet services {words}: exit status {done.returncode}", done.stdout, done.stderr)
    return done


def test_accepted(directory):
    """By name and by address; the other process that --symbols asks with, too; cut off in the middle, and again."""
    good, store, spool, who = authority(directory, "good"), small(directory), f"{directory}/spool", credentials(directory)
    with servers.one(f"{directory}/server") as server, Front(server.http, certificate(directory, "server")) as front:
        init(server)
        for number, url in enumerate((front.url, front.url.replace("127.0.0.1", "localhost"))):
            done = push(url, f"{spool}-{number}", who, f"--ca-file={good}", "--symbols", store)
            check(not done.stderr, "nothing to say", done.stderr)
        check_equal(server, [store], "by TLS")
        said = fleet(front.url, who, f"--ca-file={good}").stdout
        check(said.startswith("small: 1 host"), "and asked by it", said)
        other = small(directory, "other")
        for cut in (200, 1500, 4000):
            with Front(server.http, (f"{directory}/server.crt", f"{directory}/server.key"), cut) as short:
                call(TOOL, "push", f"--server={short.url}", f"--spool={directory}/cut", who, f"--ca-file={good}", "--host=cut", other)
                check(short.sent >= cut, "it was cut off", short.sent)
        push(front.url, f"{directory}/cut", who, f"--ca-file={good}", "--host=cut", other)
        check_equal(server, [other], "after it was cut off", "WHERE host = 'cut'")


def test_own_port(directory):
    """ClickHouse's own port for it."""
    good, store, who = authority(directory, "good"), small(directory), credentials(directory)
    certificate_file, key = certificate(directory, "server")
    http, tcp, between, https = servers.ports(4)
    server = servers.Server(f"{directory}/server", http, tcp, between, f"<https_port>{https}</https_port><openSSL><server>"
                            f"<certificateFile>{certificate_file}</certificateFile><privateKeyFile>{key}</privateKeyFile>"
                            "<verificationMode>none</verificationMode><cacheSessions>true</cacheSessions></server></openSSL>")
    with server:
        init(server)
        push(f"https://localhost:{https}", f"{directory}/spool", who, f"--ca-file={good}", store)
        check_equal(server, [store], "by its own port")


def lines_of(text, url):
    return [line for line in text.splitlines() if url in line]


def check_refused(server, url, words, wanted, name, spool, store):
    """One line says why, to who pushes and to who asks; what was to be told waits."""
    done = push(url, spool, *words, f"--host={name}", store, status=2)
    lines = lines_of(done.stderr, url)
    check(len(lines) == 1 and re.search(wanted, lines[0]) and "what waits is kept" in lines[0], f"{name}: one line", wanted, done.stderr)
    check(glob.glob(f"{spool}/*/batch-*"), f"{name}: it waits", os.listdir(spool))
    asked = fleet(url, *words, status=2)
    check(len(asked.stderr.splitlines()) == 1 and re.search(wanted, asked.stderr), f"{name}: one line for who asks", asked.stderr)
    check(SECRET not in done.stderr + asked.stderr, f"{name}: nothing secret", done.stderr, asked.stderr)
    check(server.ask(f"SELECT count() FROM stackdepot.samples WHERE host = '{name}'") == "0\n", f"{name}: nothing was told")


def test_refused(directory):
    """Of an authority that nobody knows, for another host, expired, or no TLS at all: no byte is sent, and nothing is lost."""
    good, store, who = authority(directory, "good"), small(directory), credentials(directory)
    authority(directory, "unknown")
    fine, trust = certificate(directory, "server"), f"--ca-file={good}"
    unsigned = "certificate is not accepted: no authority that is trusted here has signed it"
    cases = (
        ("unknown", certificate(directory, "stranger", by="unknown"), (who, trust), unsigned),
        ("system", fine, (who,), unsigned),
        ("elsewhere", certificate(directory, "elsewhere", hosts="DNS:elsewhere.example,IP:127.0.0.2"), (who, trust), "does not match"),
        ("expired", certificate(directory, "expired", days="-1"), (who, trust), "certificate is not accepted: it has expired"),
        ("both", certificate(directory, "late", by="unknown", days="-1"), (who, trust), unsigned + ", and it has expired"),
    )
    with servers.one(f"{directory}/server") as server, Front(server.http, fine) as front:
        init(server)
        for name, files, words, wanted in cases:
            spool = f"{directory}/spool-{name}"
            front.use(files)
            front.sent = 0
            check_refused(server, front.url, words, wanted, name, spool, store)
            check(front.sent == 0, f"{name}: nothing after the handshake, and so no credentials", front.sent)
            front.use(fine)
            push(front.url, spool, who, trust, f"--host={name}", store)
            check_equal(server, [store], f"{name}: nothing was lost", f"WHERE host = '{name}'")
        check_refused(server, server.url.replace("http:", "https:"), (who, trust), "TLS|SSL|packet", "plain", f"{directory}/spool-plain", store)
        for missing in (f"{directory}/nowhere.crt", ""):
            done = call(TOOL, "push", f"--server={front.url}", f"--spool={directory}/other", f"--ca-file={missing}", store)
            check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "No such file" in done.stderr, "a file that is not there",
                  done.stderr)


def test_system(directory):
    """Without a file those count that the system trusts; with one they do not."""
    if os.geteuid():
        return "root"
    good, store, who = authority(directory, "good"), small(directory), credentials(directory)
    unknown = authority(directory, "unknown")
    os.mkdir(f"{directory}/system")
    for name in ("ca-certificates.crt", "good.pem"):
        shutil.copy(good, f"{directory}/system/{name}")
    within = ("unshare", "--mount", "sh", "-c", f'mount --bind {directory}/system /etc/ssl/certs && exec "$@"', "sh")
    if call(*within, "true").returncode:
        return "name spaces of mounts"
    with servers.one(f"{directory}/server") as server, Front(server.http, certificate(directory, "server")) as front:
        init(server)
        words = (TOOL, "push", f"--server={front.url}", f"--spool={directory}/spool", who, store)
        done = call(*within, *words, f"--ca-file={unknown}")
        check(done.returncode == 2 and "no authority that is trusted here" in done.stderr and front.sent == 0, "with one", done.stderr)
        done = call(*within, *words)
        check(done.returncode == 0, "without", done.stderr)
        check_equal(server, [store], "as the system trusts it")
    return None


def test_agent(directory):
    """Its push and its questions, with the right authority and with another."""
    good, store, who = authority(directory, "good"), small(directory), credentials(directory)
    unknown = authority(directory, "unknown")
    with servers.one(f"{directory}/server") as server, Front(server.http, certificate(directory, "server")) as front:
        init(server)
        for authority_file in (unknown, good):
            trusted = authority_file == good
            with subprocess.Popen([AGENT, "--listen=127.0.0.1:0", "--interval=1", f"--stores={directory}", f"--push={front.url}",
                                   who.replace("--", "--push-"), f"--push-ca-file={authority_file}", f"--push-spool={directory}/spool",
                                   "--push-every=1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as agent:
                try:
                    address = agent.stdout.readline().split()[-1]
                    check_agent(server, front, store, address, trusted)
                finally:
                    agent.terminate()
                said = agent.stderr.read()
            check(trusted or "no authority that is trusted here" in said, "it is said", said)
            check(SECRET not in said, "nothing secret", said)


def read(address):
    try:
        with urllib.request.urlopen(address, timeout=120) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def check_agent(server, front, store, address, trusted):
    status, text = read(address + "fleet/services")
    if trusted:
        settled(server, [store], "what it pushes")
        status, text = read(address + "fleet/services")
        check(status == 200 and '"small"' in text, "what it asks", status, text)
        return
    check(status >= 500 and "no authority that is trusted here" in text, "it does not ask", status, text)
    eventually(lambda: "\nstackdepot_agent_pushes_failed_total 0\n" not in read(address + "metrics")[1], "it does not push")
    check(front.sent == 0, "nothing was sent", front.sent)


if servers.missing() or not shutil.which("openssl"):
    print("skipped: needs", servers.missing() or "openssl")
    sys.exit(77)
run_all(globals())
