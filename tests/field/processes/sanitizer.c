/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * field: what is started has a sanitizer, which is to come first in the list of libraries
 * build: $CC -g -O1 -fsanitize=address -o sanitized $SRC/leaky.c
 * build: $CC -g -O1 -fsanitize=thread -o threaded $SRC/leaky.c
 * run: sh -c 'ASAN_OPTIONS=detect_leaks=0 sanitized; echo $?; threaded; echo $?'
 * watch: no
 * expect: unrecorded sanitized \(a sanitizer is in it\)
 * expect: unrecorded threaded \(a sanitizer is in it\)
 */
