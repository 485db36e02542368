-- SPDX-License-Identifier: GPL-2.0-only OR MIT
--
-- In a cluster, after 1.sql: the tables that all servers have together. A batch is of one host, and goes to one shard whole;
-- stacks and frames are the same on many hosts, and are together.

CREATE TABLE IF NOT EXISTS @DATABASE@.samples @ON@ AS @DATABASE@.samples_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', samples_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.lost @ON@ AS @DATABASE@.lost_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', lost_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.errors @ON@ AS @DATABASE@.errors_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', errors_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.processes @ON@ AS @DATABASE@.processes_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', processes_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.sources @ON@ AS @DATABASE@.sources_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', sources_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.batches @ON@ AS @DATABASE@.batches_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', batches_local, cityHash64(host));

CREATE TABLE IF NOT EXISTS @DATABASE@.stacks @ON@ AS @DATABASE@.stacks_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', stacks_local, cityHash64(toString(id)));

CREATE TABLE IF NOT EXISTS @DATABASE@.frames @ON@ AS @DATABASE@.frames_local
ENGINE = Distributed('@CLUSTER@', '@DATABASE@', frames_local, cityHash64(build));
