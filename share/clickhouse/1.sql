-- SPDX-License-Identifier: GPL-2.0-only OR MIT
--
-- The tables of a fleet, version 1; `stackdepot fleet init` applies this. docs/fleet.md says why they are as they are.
--
-- Statements end with a semicolon at the end of a line. What is between @ is replaced:
--
--	@DATABASE@	its name
--	@LOCAL@		in a cluster "_local": behind the name of the table that a server has itself
--	@ON@		in a cluster: ON CLUSTER and its name
--	@ENGINE T V@	the engine of table T, in which of equal keys the row with the greatest V stays
--
-- Times are seconds since 1970. `seq` counts the batches of a host, and only ever grows; which row is the last is asked by
-- it, never by a clock. Figures are what is, not what was added: a row that is there twice counts once.

CREATE DATABASE IF NOT EXISTS @DATABASE@ @ON@;

CREATE TABLE IF NOT EXISTS @DATABASE@.samples@LOCAL@ @ON@ (
	service String, host String, source UUID, stack UUID, seq UInt64,
	version String, boot UUID, time DateTime('UTC'),
	live_bytes Float64, live_objects Float64, left_bytes Float64, left_objects Float64,
	alloc_bytes Float64, allocs Float64, bytes_variance Float64, objects_variance Float64,
	before_bytes Float64
) ENGINE = @ENGINE samples seq@
PARTITION BY toYYYYMMDD(time) ORDER BY (service, source, stack, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.lost@LOCAL@ @ON@ (
	service String, host String, source UUID, stack UUID, seq UInt64,
	version String, boot UUID, time DateTime('UTC'),
	lost_bytes Float64, lost_objects Float64, direct_bytes Float64, direct_objects Float64
) ENGINE = @ENGINE lost seq@
PARTITION BY toYYYYMMDD(time) ORDER BY (service, source, stack, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.errors@LOCAL@ @ON@ (
	service String, host String, source UUID, fingerprint UUID, seq UInt64,
	version String, boot UUID, time DateTime('UTC'),
	kind String, doubtful UInt8, signal UInt32, access UUID, alloc UUID, free UUID,
	count UInt64, processes UInt32, first_seen DateTime('UTC'), last_seen DateTime('UTC')
) ENGINE = @ENGINE errors seq@
PARTITION BY toYYYYMM(time) ORDER BY (service, source, fingerprint, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.processes@LOCAL@ @ON@ (
	service String, host String, source UUID, serial UInt32, seq UInt64,
	version String, boot UUID, time DateTime('UTC'),
	pid UInt32, parent UInt32, processes UInt32, program String, state String, wait_status Int32,
	start DateTime('UTC'), mode String, sample_bytes UInt64,
	live_bytes Float64, live_objects Float64, alloc_bytes Float64, allocs Float64, errors UInt64
) ENGINE = @ENGINE processes seq@
PARTITION BY toYYYYMMDD(time) ORDER BY (service, source, serial, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.sources@LOCAL@ @ON@ (
	service String, host String, source UUID, seq UInt64,
	version String, boot UUID, time DateTime('UTC'),
	path String, running UInt32, processes UInt32, sample_bytes UInt64, stacks UInt32,
	live_bytes Float64, live_objects Float64, left_bytes Float64, left_objects Float64,
	alloc_bytes Float64, allocs Float64, errors UInt64, doubts UInt64, errors_dropped UInt64,
	unrecorded UInt64, stackless UInt64, processes_dropped UInt64, not_recorded UInt32, notes Array(String)
) ENGINE = @ENGINE sources seq@
PARTITION BY toYYYYMMDD(time) ORDER BY (service, source, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.batches@LOCAL@ @ON@ (
	host String, seq UInt64, boot UUID, time DateTime('UTC'), monotonic_ms UInt64, clock_step_ms Int64,
	stores UInt32, unread UInt32, merged UInt32, merged_from UInt64, shed UInt64, tool String
) ENGINE = @ENGINE batches merged@
PARTITION BY toYYYYMM(time) ORDER BY (host, seq);

CREATE TABLE IF NOT EXISTS @DATABASE@.stacks@LOCAL@ @ON@ (
	id UUID, key UInt64, resolved UInt32, builds Array(String), offsets Array(UInt64)
) ENGINE = @ENGINE stacks resolved@
ORDER BY id;

CREATE TABLE IF NOT EXISTS @DATABASE@.frames@LOCAL@ @ON@ (
	build String, offset UInt64, resolved UInt32, module String,
	functions Array(String), files Array(String), lines Array(UInt32)
) ENGINE = @ENGINE frames resolved@
ORDER BY (build, offset);

CREATE VIEW IF NOT EXISTS @DATABASE@.schema @ON@ AS SELECT 1 AS version;
