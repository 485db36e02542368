/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* table.c - the list of tables. */
#include <stddef.h>

#include "table.h"

#define TIMED "seq,time,service,host,version,boot,"

const struct fleet_table fleet_tables[FLEET_TABLES] = {
	[FLEET_FRAMES] = {"frames", 2, false, false, NULL,
			  "build,offset,resolved,module,functions,files,lines"},
	[FLEET_STACKS] = {"stacks", 1, false, false, NULL, "id,key,resolved,builds,offsets"},
	[FLEET_PROCESSES] = {"processes", 2, true, false, NULL,
			     "source,serial," TIMED
			     "pid,parent,processes,program,state,wait_status,start,mode,"
			     "sample_bytes,live_bytes,live_objects,alloc_bytes,allocs,errors"},
	[FLEET_ERRORS] = {"errors", 2, true, true, NULL,
			  "source,fingerprint," TIMED
			  "kind,doubtful,signal,access,alloc,free,count,processes,first_seen,"
			  "last_seen"},
	[FLEET_LOST] = {"lost", 2, true, false, "0\t0\t0\t0",
			"source,stack," TIMED
			"lost_bytes,lost_objects,direct_bytes,direct_objects"},
	[FLEET_SAMPLES] = {"samples", 2, true, true, "0\t0\t0\t0\t0\t0\t0\t0",
			   "source,stack," TIMED
			   "live_bytes,live_objects,left_bytes,left_objects,alloc_bytes,allocs,"
			   "bytes_variance,objects_variance,before_bytes"},
	[FLEET_SOURCES] = {"sources", 1, true, false, NULL,
			   "source," TIMED
			   "path,running,processes,sample_bytes,stacks,live_bytes,live_objects,"
			   "left_bytes,left_objects,alloc_bytes,allocs,errors,doubts,"
			   "errors_dropped,unrecorded,stackless,processes_dropped,not_recorded,"
			   "notes"},
	[FLEET_BATCHES] = {"batches", 2, false, false, NULL,
			   "host,seq,boot,time,monotonic_ms,clock_step_ms,stores,unread,merged,"
			   "merged_from,shed,tool"},
};
