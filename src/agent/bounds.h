/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * bounds.h - what the agent will at most take, whatever it meets.
 *
 * Its own memory, that of the process which serves, is bounded by these: STORES rows with PROCESSES
 * rows each, and CONNECTIONS with their buffers. What is read of stores is read by workers, each of
 * which has a bound of its own, and what they have written is held until it is taken.
 */
#ifndef AGENT_BOUND_H
#define AGENT_BOUND_H

#define BOUND_PROCESSES 20u	   /* of a store, told apart */
#define BOUND_PROCESS_SERIES 1000u /* of all stores together */
#define BOUND_HISTORY 60u	   /* points of a sparkline */
#define BOUND_PROGRAM_BYTES 48u
#define BOUND_COMMAND_BYTES 96u /* shown of a command */

#define BOUND_CONNECTIONS 128u
#define BOUND_CONNECTIONS_EASY 96u	 /* from so many on, idle ones are closed early */
#define BOUND_SEND_BYTES 65536		 /* that the kernel keeps of an answer; it doubles that */
#define BOUND_REQUEST_BYTES 16384u	 /* its line and headers */
#define BOUND_REQUEST_NS 10000000000ull	 /* from its first byte to its last */
#define BOUND_HURRIED_NS 1000000000ull	 /* the same if connections are short */
#define BOUND_RESPONSE_NS 60000000000ull /* for it to be taken */
#define BOUND_CLIENTS 1024u		 /* addresses whose rates are told apart */

#define BOUND_WORKERS 4u	     /* at a time, and one more that looks for stores */
#define BOUND_SLEEPERS 3u	     /* of these, ones that wait for their seconds */
#define BOUND_ASKERS 2u		     /* likewise, ones that ask the server of a fleet */
#define BOUND_QUEUE 32u		     /* jobs that wait for a worker */
#define BOUND_OUTPUTS 16u	     /* results that are being taken */
#define BOUND_OUTPUT_BYTES 16777216u /* of one */
#define BOUND_WORKER_SECONDS 30u     /* for a result, beside what it was asked to wait */
#define BOUND_SECONDS 300u	     /* of a difference */

#define BOUND_SCAN_FRESH_NS 1000000000ull /* a look at the stores serves so long */
#define BOUND_SCAN_WAIT_NS 5000000000ull  /* who waits for one longer gets the one before */
#define BOUND_STORE_NS 5000000000ull	  /* of a look, one store */
#define BOUND_BAD_STORES 64u		  /* that ended a worker, and are left alone for a while */
#define BOUND_BAD_NS 600000000000ull

#endif
