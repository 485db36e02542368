#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR MIT
# test_results.sh RESULTS - what linux/boot makes of consoles: what fails, and what is no failure.
set -euo pipefail

. "$1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/console stock_log=$work/stock
failed=0

# console NAME LINES...
console() {
	local name=$1
	shift
	printf '[    1.000000] %s\r\n' '# stackdepot_save: pass:10 fail:0 skip:0 total:10' "$@" > "$log.$name"
	printf '%s\r\n' "$ending" >> "$log.$name"
}

# missing TEST...: the lines of tests of KASAN's that saw no report.
missing() {
	local test
	for test; do
		printf '%s\n' "    # $test: EXPECTATION FAILED at mm/kasan/kasan_test_c.c:199" \
			'    KASAN failure expected in "*ptr = *(ptr - 1)", but none occurred' "    not ok 2 $test"
	done
	printf '%s\n' '# kasan: pass:58 fail:1 skip:13 total:72' 'not ok 1 kasan'
}

sleeping() {
	printf '%s\n' 'BUG: sleeping function called from invalid context at kernel/locking/spinlock_rt.c:258' \
		'Call trace:' ' __might_resched+0x1cc/0x244' ' rt_write_lock+0x54/0x508' " $1+0x4c/0x1e8"
}

# Each case begins with boots in which all went well; lines of the suites' are its arguments.
start() {
	mode=$1 variant=$2 bound='' boots=(plain suite count) repeats=() by_chance='' again=() ending='[    2.000000] --- end'
	shift 2
	rm -f "$stock_log".*
	console plain
	console count
	console suite "$@"
}

boot_suites() {
	console "$1" "${again[@]}"
}

# expect STATUS REPEATS CASE
expect() {
	local status=0
	repeat_missed
	verdict 2> /dev/null || status=1
	if [ $status -ne "$1" ] || [ ${#repeats[@]} -ne "$2" ]; then
		echo "$3: status $status, ${#repeats[@]} repeats"
		failed=1
	fi
}

lines() {
	mapfile -t "$1"
}

start arm64-hw-tags ours
expect 0 0 'all is well'
start arm64-sw-tags ours '# stackdepot_hold: pass:6 fail:1 skip:0 total:7' 'not ok 3 stackdepot_hold'
expect 1 0 'a suite fails'
start arm64-generic ours 'WARNING: CPU: 0 PID: 1 at lib/stackdepot/stackdepot.c:200'
expect 1 0 'the depot warns'
for name in plain suite count; do
	start kmsan ours
	: > "$log.$name"
	expect 1 0 "boot '$name' does not reach its end"
done
made='stackdepot: at most 8388608 bytes, 126399 lines of up to 8 frames'
start page-owner ours
console late 'KTAP version 1' "$made"
expect 0 0 'the suites get a depot'
start page-owner ours
console late "$made" 'KTAP version 1'
expect 1 0 'the depot was there before'
start page-owner ours
console late 'KTAP version 1' "$made" 'not ok 3 stackdepot_hold'
expect 1 0 'a suite fails in a depot that is made late'
start page-owner ours
ending='' console late 'KTAP version 1' "$made"
expect 1 0 'the boot with a late depot does not reach its end'

start preempt-rt ours '** 19 printk messages dropped **'
expect 1 0 'lines are lost'

lines one < <(missing kmalloc_oob_left)
lines both < <(missing kmalloc_oob_left kasan_memchr)
lines another < <(missing kasan_memchr)
start arm64-hw-tags ours "${one[@]}"
expect 0 1 'a report is missed by chance'
start arm64-hw-tags ours "${one[@]}"
again=("${another[@]}")
expect 0 1 'another report is missed the second time'
start arm64-hw-tags stock "${both[@]}"
again=("${one[@]}")
expect 1 2 'a report is missed each time'
start arm64-hw-tags ours "${one[@]}"
again=('    # kmalloc_uaf: EXPECTATION FAILED at mm/kasan/kasan_test_c.c:1' '    other' '    not ok 9 kmalloc_uaf' 'not ok 1 kasan')
expect 1 2 'something else fails the second time'
start arm64-hw-tags ours "${one[@]}"
ending=''
expect 1 2 'the boots after that do not reach their ends'
start arm64-hw-tags ours '    # kmalloc_oob_left: EXPECTATION FAILED at mm/kasan/kasan_test_c.c:1' '    other' "${one[@]}"
expect 1 0 'the test that misses a report fails otherwise, too'
start arm64-hw-tags ours "${one[@]}" 'not ok 3 stackdepot_hold'
expect 1 0 'a suite of ours fails, too'
start arm64-hw-tags ours "${one[@]}" '    not ok 9 kmalloc_uaf'
expect 1 0 'a test of the suite times out, too'
start arm64-generic ours "${one[@]}"
expect 1 0 'a report is missed where no tags are drawn'

# stock LINES...: the stock kernel's console of the suites, which was booted before.
stock() {
	local log=$stock_log
	console suite "$@"
}

lines strings < <(missing kasan_strings)
lines two < <(missing kasan_strings kasan_memchr)
start arm64-sw-tags ours "${strings[@]}"
stock "${strings[@]}"
expect 0 0 'what fails in the stock kernel fails'
start arm64-sw-tags ours "${two[@]}"
again=("${two[@]}")
stock "${strings[@]}"
expect 1 2 'more fails than in the stock kernel, each time'
start arm64-sw-tags ours "${two[@]}"
again=("${strings[@]}")
stock "${strings[@]}"
expect 0 1 'a report is missed by chance with software tags'
start arm64-sw-tags ours '# stackdepot_hold: pass:6 fail:1 skip:0 total:7'
stock "${strings[@]}"
expect 1 0 'something else fails than in the stock kernel'
start arm64-sw-tags stock "${strings[@]}"
stock "${strings[@]}"
expect 1 0 'the stock kernel fails'

# Failures of the stock kernel by chance are not known ones; those that are leave chance where it is.
otherwise() {
	printf '%s\n' '    # kasan_strings: EXPECTATION FAILED at mm/kasan/kasan_test_c.c:1' '    other' \
		'    not ok 9 kasan_strings' 'not ok 1 kasan'
}

stock_again() {
	local log=$stock_log
	console again "$@"
	console again-2 "$@"
}

lines certain < <(otherwise)
start arm64-hw-tags ours "${one[@]}"
stock "${one[@]}"
again=("${one[@]}")
expect 1 2 'each time a report is missed that the stock kernel missed by chance'
start arm64-hw-tags ours '# kasan: pass:0 fail:1 skip:0 total:1' 'not ok 1 kasan'
stock "${one[@]}"
by_chance=''
[ "$(new_failures)" = kasan ] || { echo "KASAN's suite failed by chance in the stock kernel, fails here"; failed=1; }
start arm64-hw-tags ours "${another[@]}" "${certain[@]}"
stock "${certain[@]}"
again=("${certain[@]}")
expect 0 1 'a report is missed by chance beside what fails in the stock kernel'
start arm64-hw-tags ours "${another[@]}" "${certain[@]}"
again=("${certain[@]}")
expect 1 0 'the same, and the stock kernel was not booted'
start arm64-hw-tags ours "${strings[@]}"
stock "${two[@]}"
stock_again "${strings[@]}"
expect 0 0 'the stock kernel misses the report each time'
start arm64-hw-tags ours "${two[@]}"
stock "${two[@]}"
stock_again "${strings[@]}"
again=("${two[@]}")
expect 1 2 'of two reports that are missed each time the stock kernel sees one'

lines known < <(sleeping kasan_complete_mode_report_info)
lines unknown < <(sleeping stackdepot_save)
start preempt-rt stock "${known[@]}"
expect 0 0 "KASAN's lock sleeps"
start preempt-rt ours "${known[@]}"
expect 1 0 "KASAN's lock sleeps, which ours does not have"
start preempt-rt stock "${known[@]}" "${unknown[@]}"
expect 1 0 'something else sleeps'
start arm64-sw-tags stock "${known[@]}"
expect 1 0 "KASAN's lock sleeps where locks spin"

start preempt-rt ours 'Call trace:' ' __might_resched+0x1cc/0x244' ' rt_spin_lock+0x54/0x508' ' kfree+0x4c/0x1e8'
expect 0 0 'a stack of something else'

# Of the callers each report and each stack is wanted. shown PATTERN: all of them but the lines that have it.
shown() {
	printf '%s\n' 'ref_tracker: allocated in:' ' alloctest_ref_tracker_alloc2.constprop.0+0x4/0x8' ' kernel_init+0x4/0x8' \
		'ref_tracker: freed in:' ' alloctest_ref_tracker_free+0x4/0x8' 'ref_tracker: selftest@() has 1/2 users at' \
		' alloctest_ref_tracker_alloc1+0x4/0x8' 'ref_tracker: selftest@() has 1/2 users at' \
		' test_ref_tracker_timer_func+0x4/0x8' 'node [0 + 64]: inserted at' ' callers_leave_node+0x4/0x8' \
		'attempting to lock a contended lock without backoff:' ' callers_contend+0x4/0x8' |
		grep -vF "$1"
	local title kind
	for title in SLAB_LINEAR_OVERFLOW:slab-out-of-bounds WRITE_AFTER_FREE:slab-use-after-free \
		READ_AFTER_FREE:slab-use-after-free SLAB_FREE_DOUBLE:double-free WRITE_BUDDY_AFTER_FREE:use-after-free \
		READ_BUDDY_AFTER_FREE:use-after-free; do
		kind=${title#*:} title=${title%:*}
		printf '%s\n' "--- $title" "BUG: KASAN: $kind in lkdtm_$title+0x4/0x8" 'Allocated by task 1:' \
			" lkdtm_$title+0x4/0x8" '' 'Freed by task 1:' " lkdtm_$title+0x4/0x8" '' \
			'page last allocated via order 0' " lkdtm_$title+0x4/0x8" \
			'page last free pid 1 tgid 1 stack trace:' " lkdtm_$title+0x4/0x8" | grep -vF "$1"
	done
	echo '--- provoked'
}

drm='# drm_mm: pass:20 fail:0 skip:0 total:20'
lines all < <(shown nothing)
start callers ours "$drm" "${all[@]}"
expect 0 0 'all reports and stacks are shown'
start callers ours "${all[@]}"
expect 1 0 "DRM's suite was not run"
for name in alloctest_ref_tracker_alloc2 alloctest_ref_tracker_free alloctest_ref_tracker_alloc1 test_ref_tracker_timer_func \
	callers_leave_node callers_contend 'double-free in' 'Allocated by' 'Freed by' 'page last free'; do
	lines some < <(shown "$name")
	start callers ours "$drm" "${some[@]}"
	expect 1 0 "not shown: $name"
done
lines some < <(shown ' lkdtm_READ_AFTER_FREE')
start callers stock "$drm" "${some[@]}"
expect 1 0 'stacks of one report are empty'

# What kunit.py says failed, and did not in the stock kernel.
start kunit ours
printf '[18:25:51] %s\n' '[PASSED] one' '[FAILED] two' '================= [FAILED] suite =================' \
	'[CRASHED] three' '[SKIPPED] four (one CPU)' > "$log.all"
[ "$(kunit_new_failures | paste -s -d ' ')" = 'suite three two' ] || { echo 'kunit.py: a failure is not seen'; failed=1; }
printf '[18:25:51] %s\n' '[FAILED] two' '=== [FAILED] suite ===' > "$stock_log.all"
[ "$(kunit_new_failures)" = three ] || { echo 'kunit.py: what fails in the stock kernel is new'; failed=1; }
[ "$(kunit_known_failures | paste -s -d ' ')" = 'suite two' ] || failed=1

start kmsan ours '# Subtest: stackdepot_churn' 'watchdog: BUG: soft lockup - CPU#0 stuck for 157s!' \
	'Kernel panic - not syncing: softlockup: hung tasks'
[ "$(boot_stopped_at suite)" = 'watchdog: BUG: soft lockup - CPU#0 stuck for 157s!' ] || failed=1
start kmsan ours '# Subtest: stackdepot_save' '# Subtest: stackdepot_churn'
[ "$(boot_stopped_at suite)" = '# Subtest: stackdepot_churn' ] || failed=1
exit $failed
