#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_tls.py TOOL BUGS HOLD AGENT - certificates: who is told, and who is not even asked.

An authority and what it signs are made by openssl. Before a real ClickHouse stands a server of TLS that counts what it is sent when the
handshake is over: of somebody who does not trust it nothing, and so no credentials. There is one ClickHouse for all tests: each tells it
of hosts, or of a service, of its own.
"""
import concurrent.futures
import glob
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
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


def openssl(*words):
    done = call("openssl", *words, cwd=PLACE)
    check(done.returncode == 0, f"openssl {words}", done.stderr)


def authority(name):
    openssl("req", "-x509", *KEY, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days", "30",
            "-subj", f"/CN={name} of a test")
    return f"{PLACE}/{name}.crt"


def certificate(name, by="good", hosts="DNS:localhost,IP:127.0.0.1", days="30"):
    """Signed by an authority; with its key in one file."""
    with open(f"{PLACE}/{name}.names", "w", encoding="ascii") as out:
        out.write(f"subjectAltName={hosts}\n")
    openssl("req", *KEY, "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
    openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.crt", "-CAkey", f"{by}.key", "-CAcreateserial", "-days", days,
            "-extfile", f"{name}.names", "-out", f"{name}.crt")
    return f"{PLACE}/{name}.crt", f"{PLACE}/{name}.key"


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


def credentials():
    path = f"{PLACE}/credentials"
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="ascii") as out:
        out.write(f"fleet:{SECRET}\n")
    return f"--credentials={path}"


def clickhouse():
    """With a port for TLS of its own, too; its URL there."""
    http, tcp, between, https = servers.ports(4)
    return servers.Server(f"{PLACE}/server", http, tcp, between, f"<https_port>{https}</https_port><openSSL><server>"
                          f"<certificateFile>{FINE[0]}</certificateFile><privateKeyFile>{FINE[1]}</privateKeyFile>"
                          "<verificationMode>none</verificationMode><cacheSessions>true</cacheSessions></server></openSSL>"
                          ), f"https://localhost:{https}"


def all_at_once(function, cases):
    """Who is not taken waits before he tries again; so not one after the other."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for one in [pool.submit(function, *case) for case in cases]:
            one.result()


def fleet(url, *words, status=0):
    done = call(TOOL, "fleet", "services", f"--server={url}", *words)
    check(done.returncode == status, f"fleet services {words}: exit status {done.returncode}", done.stdout, done.stderr)
    return done


def test_accepted(directory):
    """By name and by address; the other process that --symbols asks with, too."""
    store = small(directory, "accepted")
    with Front(SERVER.http, FINE) as front:
        for name, url in (("address", front.url), ("name", front.url.replace("127.0.0.1", "localhost"))):
            done = push(url, f"{directory}/{name}", WHO, TRUST, f"--host={name}", "--symbols", store)
            check(not done.stderr, "nothing to say", done.stderr)
            check_equal(SERVER, [store], f"by TLS, by {name}", f"WHERE host = '{name}'")
        said = fleet(front.url, WHO, TRUST).stdout
        check(re.search("^accepted: 2 hosts", said, flags=re.M), "and asked by it", said)


def test_cut(directory):
    """Off, in the middle; and again."""
    store = small(directory)

    def try_cut(cut):
        words = (WHO, TRUST, f"--host=cut-{cut}", store)
        with Front(SERVER.http, FINE, cut) as short, Front(SERVER.http, FINE) as front:
            call(TOOL, "push", f"--server={short.url}", f"--spool={directory}/{cut}", *words)
            check(short.sent >= cut, "it was cut off", short.sent)
            push(front.url, f"{directory}/{cut}", *words)
        check_equal(SERVER, [store], "after it was cut off", f"WHERE host = 'cut-{cut}'")

    all_at_once(try_cut, [(cut,) for cut in (200, 1500, 4000)])


def test_own_port(directory):
    """ClickHouse's own port for it."""
    store = small(directory)
    push(HTTPS, f"{directory}/spool", WHO, TRUST, "--host=own", store)
    check_equal(SERVER, [store], "by its own port", "WHERE host = 'own'")


def lines_of(text, url):
    return [line for line in text.splitlines() if url in line]


def check_refused(url, words, wanted, name, spool, store):
    """One line says why, to who pushes and to who asks; what was to be told waits."""
    done = push(url, spool, *words, f"--host={name}", store, status=2)
    lines = lines_of(done.stderr, url)
    check(len(lines) == 1 and re.search(wanted, lines[0]) and "what waits is kept" in lines[0], f"{name}: one line", wanted, done.stderr)
    check(glob.glob(f"{spool}/*/batch-*"), f"{name}: it waits", os.listdir(spool))
    asked = fleet(url, *words, status=2)
    check(len(asked.stderr.splitlines()) == 1 and re.search(wanted, asked.stderr), f"{name}: one line for who asks", asked.stderr)
    check(SECRET not in done.stderr + asked.stderr, f"{name}: nothing secret", done.stderr, asked.stderr)
    check(SERVER.ask(f"SELECT count() FROM stackdepot.samples WHERE host = '{name}'") == "0\n", f"{name}: nothing was told")


def test_refused(directory):
    """Of an authority that nobody knows, for another host, expired, or no TLS at all: no byte is sent, and nothing is lost."""
    store = small(directory)
    unsigned = "certificate is not accepted: no authority that is trusted here has signed it"
    cases = (
        ("unknown", certificate("stranger", by="unknown"), (WHO, TRUST), unsigned),
        ("system", FINE, (WHO,), unsigned),
        ("elsewhere", certificate("elsewhere", hosts="DNS:elsewhere.example,IP:127.0.0.2"), (WHO, TRUST), "does not match"),
        ("expired", certificate("expired", days="-1"), (WHO, TRUST), "certificate is not accepted: it has expired"),
        ("both", certificate("late", by="unknown", days="-1"), (WHO, TRUST), unsigned + ", and it has expired"),
    )

    def try_refused(name, files, words, wanted):
        spool = f"{directory}/{name}"
        with Front(SERVER.http, files) as front:
            check_refused(front.url, words, wanted, name, spool, store)
            check(front.sent == 0, f"{name}: nothing after the handshake, and so no credentials", front.sent)
            front.use(FINE)
            push(front.url, spool, WHO, TRUST, f"--host={name}", store)
        check_equal(SERVER, [store], f"{name}: nothing was lost", f"WHERE host = '{name}'")

    def try_plain():
        check_refused(SERVER.url.replace("http:", "https:"), (WHO, TRUST), "TLS|SSL|packet", "plain", f"{directory}/plain", store)

    all_at_once(lambda function, *case: function(*case), [(try_plain,), *((try_refused, *case) for case in cases)])
    for missing in (f"{directory}/nowhere.crt", ""):
        done = call(TOOL, "push", f"--server={HTTPS}", f"--spool={directory}/other", f"--ca-file={missing}", store)
        check(done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "No such file" in done.stderr, "a file that is not there",
              done.stderr)


def test_system(directory):
    """Without a file those count that the system trusts; with one they do not."""
    if os.geteuid():
        return "root"
    store = small(directory)
    os.mkdir(f"{directory}/system")
    for name in ("ca-certificates.crt", "good.pem"):
        shutil.copy(GOOD, f"{directory}/system/{name}")
    within = ("unshare", "--mount", "sh", "-c", f'mount --bind {directory}/system /etc/ssl/certs && exec "$@"', "sh")
    if call(*within, "true").returncode:
        return "name spaces of mounts"
    with Front(SERVER.http, FINE) as front:
        words = (TOOL, "push", f"--server={front.url}", f"--spool={directory}/spool", "--host=within", WHO, store)
        done = call(*within, *words, f"--ca-file={UNKNOWN}")
        check(done.returncode == 2 and "no authority that is trusted here" in done.stderr and front.sent == 0, "with one", done.stderr)
        done = call(*within, *words)
        check(done.returncode == 0, "without", done.stderr)
        check_equal(SERVER, [store], "as the system trusts it", "WHERE host = 'within'")
    return None


def test_agent(directory):
    """Its push and its questions, with the right authority and with another."""
    store = small(directory, "agent")
    with Front(SERVER.http, FINE) as front:
        for authority_file in (UNKNOWN, GOOD):
            trusted = authority_file == GOOD
            with subprocess.Popen([AGENT, "--listen=127.0.0.1:0", "--interval=1", f"--stores={directory}", f"--push={front.url}",
                                   WHO.replace("--", "--push-"), f"--push-ca-file={authority_file}", f"--push-spool={directory}/spool",
                                   "--push-every=1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as agent:
                try:
                    address = agent.stdout.readline().split()[-1]
                    check_agent(front, store, address, trusted)
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


def check_agent(front, store, address, trusted):
    status, text = read(address + "fleet/services")
    if trusted:
        settled(SERVER, [store], "what it pushes", "WHERE service = 'agent'")
        # It asks at times: the answer may be of a moment ago.
        eventually(lambda: '"agent"' in read(address + "fleet/services")[1], "what it asks", details=lambda: read(address + "fleet/services"))
        return
    check(status >= 500 and "no authority that is trusted here" in text, "it does not ask", status, text)
    eventually(lambda: re.search(r"^stackdepot_agent_pushes_failed_total [1-9]", read(address + "metrics")[1], flags=re.M),
               "it does not push")
    check(front.sent == 0, "nothing was sent", front.sent)


if servers.missing() or not shutil.which("openssl"):
    print("skipped: needs", servers.missing() or "openssl")
    sys.exit(77)
with tempfile.TemporaryDirectory() as PLACE:
    GOOD, UNKNOWN = authority("good"), authority("unknown")
    FINE, TRUST, WHO = certificate("server"), f"--ca-file={GOOD}", credentials()
    SERVER, HTTPS = clickhouse()
    with SERVER:
        init(SERVER)
        run_all(globals())
