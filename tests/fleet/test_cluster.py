#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_cluster.py TOOL BUGS HOLD - two shards of two replicas, of which some are killed meanwhile.

Whatever was acknowledged is there, and once: compared with the stores, stack by stack, to the byte.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import servers  # noqa: E402
from fleet import ask, init, settled  # noqa: E402
from tool import TOOL, call, check, record, run_all  # noqa: E402

HOSTS = [f"host{number}" for number in range(4)]


def test_kills(directory):
    """A replica dies, then a whole shard; both come back; everything is sent twice."""
    store = f"{directory}/perl.stackdepot"
    record(store, "/usr/bin/perl", "-e", "push @x, {a => $_} for 1..5000;", options=("--quiet", "--memory=4M"))
    with servers.Cluster(directory) as cluster:
        first = cluster.servers[0][0]
        init(first, "--cluster=fleet")
        init(first, "--cluster=fleet")

        def push_all(status=0, url=first.url, suffix=""):
            for host in HOSTS:
                done = call(TOOL, "push", f"--server={url}", f"--spool={directory}/spool-{host}{suffix}", f"--host={host}", store)
                check(status is None or done.returncode == status, f"push of {host}: {done.returncode}", done.stderr)

        push_all()
        settled(first, [store] * len(HOSTS), "on two shards")
        counts = [int(shard[0].ask("SELECT count() FROM stackdepot.samples_local")) for shard in cluster.servers]
        check(all(counts), "both shards have some", counts)
        # With nothing known of what was sent: all of it again.
        push_all(suffix="-again")
        settled(first, [store] * len(HOSTS), "all of it sent twice")
        cluster.servers[1][0].kill()
        record(store, "/usr/bin/perl", "-e", "push @x, $_ for 1..99;", options=("--quiet", "--append"))
        push_all()
        settled(first, [store] * len(HOSTS), "with a replica killed")
        cluster.servers[1][1].kill()
        record(store, "/usr/bin/perl", "-e", "push @x, $_ for 1..99;", options=("--quiet", "--append"))
        push_all(status=None)
        check(any(name.startswith("batch") for _, names, _ in os.walk(directory) for name in names), "something waits")
        # A server that was killed keeps the port of nobody.
        for server in cluster.servers[1]:
            server.begin()
        for server in cluster.servers[1]:
            server.wait()
        push_all()
        for server in cluster.all():
            settled(server, [store] * len(HOSTS), "after all came back")
        first.kill()
        settled(cluster.servers[1][1], [store] * len(HOSTS), "asked of another one")
        hosts = ask(cluster.servers[0][1].url, "hosts")["hosts"]
        check(len(hosts) == len(HOSTS), "all hosts", hosts)
        top = ask(cluster.servers[0][1].url, "top", "--limit=3")["stacks"]
        check(top[0]["hosts"] == len(HOSTS) and top[0]["stack_frames"], "one stack on all hosts is one row", top)
        for what in ("services", "growth", "errors", "lost"):
            ask(cluster.servers[0][1].url, what)


if servers.missing(cluster=True):
    print("skipped: needs", servers.missing(cluster=True))
    sys.exit(77)
run_all(globals())
