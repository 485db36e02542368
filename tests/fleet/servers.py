# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""ClickHouse on loopback, alone or as a cluster with ZooKeeper, each server in a directory of its own."""
import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "common"))
from tool import check  # noqa: E402

SERVER = shutil.which("clickhouse-server", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin")
ZOOKEEPER = "/usr/share/java/zookeeper.jar"

# 18.16 wants <yandex>, which current versions take, too. It looks only at what has a number in its name.
CONFIG = """<yandex>
 <logger><level>warning</level><log>{path}/log</log><errorlog>{path}/errors</errorlog></logger>
 <listen_host>127.0.0.1</listen_host>
 <http_port>{http}</http_port> <tcp_port>{tcp}</tcp_port> <interserver_http_port>{between}</interserver_http_port>
 <interserver_http_host>127.0.0.1</interserver_http_host>
 <path>{path}/data/</path> <tmp_path>{path}/tmp/</tmp_path> <format_schema_path>{path}/formats/</format_schema_path>
 <users_config>{path}/users.xml</users_config> <default_profile>default</default_profile>
 <default_database>default</default_database> <mark_cache_size>67108864</mark_cache_size>
 <max_concurrent_queries>100</max_concurrent_queries> <timezone>UTC</timezone>
{more}</yandex>
"""
USERS = """<yandex>
 <profiles><default><max_memory_usage>4000000000</max_memory_usage><max_threads>2</max_threads></default></profiles>
 <users>
  <default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
  <fleet><password>secret of the fleet</password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></fleet>
 </users>
 <quotas><default><interval><duration>3600</duration><queries>0</queries><errors>0</errors><result_rows>0</result_rows>
  <read_rows>0</read_rows><execution_time>0</execution_time></interval></default></quotas>
</yandex>
"""
CLUSTER = """ <zookeeper><node><host>127.0.0.1</host><port>{keeper}</port></node><session_timeout_ms>4000</session_timeout_ms></zookeeper>
 <distributed_ddl><path>/clickhouse/ddl</path></distributed_ddl>
 <macros><shard>{shard}</shard><replica>{replica}</replica></macros>
 <remote_servers><fleet>{shards}</fleet></remote_servers>
"""


def ports(number):
    """Free ones, which stay free for as long as nobody else looks for some."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


class Server:
    """One of ClickHouse."""

    def __init__(self, path, http, tcp, between, more=""):
        self.path, self.http, self.tcp, self.process = path, http, tcp, None
        self.url = f"http://127.0.0.1:{http}"
        os.makedirs(path)
        with open(f"{path}/config.xml", "w", encoding="utf-8") as out:
            out.write(CONFIG.format(path=path, http=http, tcp=tcp, between=between, more=more))
        with open(f"{path}/users.xml", "w", encoding="utf-8") as out:
            out.write(USERS)

    def begin(self):
        self.process = subprocess.Popen([SERVER, f"--config-file={self.path}/config.xml"], cwd=self.path,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def wait(self):
        for _ in range(600):
            try:
                if self.ask("SELECT 1") == "1\n":
                    return self
            except OSError:
                pass
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        with open(f"{self.path}/errors", encoding="utf-8", errors="replace") as errors:
            check(False, f"ClickHouse in {self.path} begins", errors.read()[-3000:])
        return None

    def ask(self, sql, timeout=120, **settings):
        address = self.url + "/?" + urllib.parse.urlencode(settings)
        try:
            with urllib.request.urlopen(address, sql.encode(), timeout=timeout) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            check(False, f"ClickHouse takes it: {error.code}", error.read().decode(errors="replace")[:1000], sql[:1000])
            return None

    def rows(self, sql):
        return [line.split("\t") for line in self.ask(sql).splitlines()]

    def kill(self):
        """As a machine that goes away."""
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.begin().wait()

    def __exit__(self, *_):
        self.kill()


def one(path):
    return Server(path, *ports(3))


class Keeper:
    """ZooKeeper."""

    def __init__(self, path, port):
        self.path, self.port = path, port
        os.makedirs(f"{path}/data")
        with open(f"{path}/zoo.cfg", "w", encoding="utf-8") as out:
            out.write(f"tickTime=500\ndataDir={path}/data\nclientPort={port}\nclientPortAddress=127.0.0.1\n"
                      "admin.enableServer=false\nmaxClientCnxns=0\n4lw.commands.whitelist=srvr,mntr\n")
        jars = [jar for name in ("zookeeper*", "slf4j-api*", "slf4j-simple*", "netty*", "snappy*", "metrics*", "commons-cli*", "commons-io*", "audience-annotations*", "jline*")
                for jar in glob.glob(f"/usr/share/java/{name}.jar")]
        self.process = subprocess.Popen(["java", "-Xmx128m", "-XX:+UseSerialGC", "-cp", ":".join(jars),
                                         "org.apache.zookeeper.server.quorum.QuorumPeerMain", f"{path}/zoo.cfg"],
                                        cwd=path, stdout=subprocess.DEVNULL, stderr=open(f"{path}/errors", "wb"))

    def ask(self, word):
        """The answer to one of its words of four letters; empty: none."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(word.encode())
                return connection.makefile("r").read()
        except OSError:
            return ""

    def is_ready(self):
        """It accepts before it serves, and what connects then does not try again."""
        return "Mode:" in self.ask("srvr")

    def watches(self):
        """How many of its nodes are watched, by each who watches."""
        return sum(int(line.split()[1]) for line in self.ask("mntr").splitlines() if line.startswith("zk_watch_count"))

    def wait(self):
        for _ in range(400):
            if self.is_ready():
                return self
            time.sleep(0.05)
            if self.process.poll() is not None:
                break
        with open(f"{self.path}/errors", encoding="utf-8", errors="replace") as errors:
            check(False, "ZooKeeper begins", errors.read()[-3000:])
        return None

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self


class Cluster:
    """Two shards of two replicas each: servers[SHARD][REPLICA]."""

    def __init__(self, path):
        found = ports(13)
        keeper, found = found[0], [found[1 + 3 * i:4 + 3 * i] for i in range(4)]
        shards = "".join("<shard><internal_replication>true</internal_replication>" + "".join(
            f"<replica><host>127.0.0.1</host><port>{found[2 * shard + replica][1]}</port></replica>" for replica in (0, 1))
            + "</shard>" for shard in (0, 1))
        self.keeper = Keeper(f"{path}/keeper", keeper)
        self.servers = [[Server(f"{path}/{shard}-{replica}", *found[2 * shard + replica], CLUSTER.format(
            keeper=keeper, shard=shard, replica=replica, shards=shards)) for replica in (0, 1)] for shard in (0, 1)]

    def all(self):
        return [server for shard in self.servers for server in shard]

    def __enter__(self):
        self.keeper.wait()
        for server in self.all():
            server.begin()
        for server in self.all():
            server.wait()
        self.wait()
        return self

    def wait(self):
        """18.16 crashes if it is given a statement for the cluster before it watches their queue, which is all it watches yet."""
        for _ in range(400):
            if self.keeper.watches() >= len(self.all()):
                return
            time.sleep(0.05)
        check(False, "all servers watch the queue of statements", self.keeper.ask("mntr"))

    def __exit__(self, *_):
        for server in self.all():
            server.kill()
        self.keeper.__exit__()


def missing(cluster=False):
    """What would be needed to begin."""
    if not SERVER:
        return "clickhouse-server"
    if cluster and not (os.path.exists(ZOOKEEPER) and shutil.which("java")):
        return "libzookeeper-java and a Java"
    return None
