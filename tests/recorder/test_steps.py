#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What a process pays that carries the recorder and is not recorded, whatever the reason: a few instructions a pair.

usage: test_steps.py PRELOAD STEPS

Instructions are counted one by one, so the same build has the same count each time.
"""
import os
import subprocess
import sys
import tempfile

PRELOAD, STEPS = sys.argv[1:3]
MOST = 38  # an allocation's share and a free's, beside the allocator's own


def steps(who, options):
    environment = dict(os.environ)
    if options:
        environment |= {"LD_PRELOAD": PRELOAD, "STACKDEPOT_OPTIONS": options}
    done = subprocess.run([STEPS, who], env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 77:
        print("nobody may trace here")
        sys.exit(77)
    if done.returncode:
        sys.exit(f"FAIL: {who} {options}: status {done.returncode} {done.stderr}")
    return float(done.stdout)


def main():
    failed = False
    with tempfile.TemporaryDirectory() as directory:
        store = f"store={directory}/store"
        unrecorded = [("begun", f"{store}:mode=off", "off"),
                      ("begun", f"{store}:mode=sample=1G", "no sample so far"),
                      ("begun", f"{store}:no-such-option=1", "options that make no sense"),
                      ("begun", "store=/nonexistent/store", "no place for a store"),
                      ("forked", f"{store}2:follow-children=no", "a child that is left out"),
                      ("forked", f"{store}3:follow-children=no:mode=sample=64:guard=3", "a child of a sampled parent with guards"),
                      ("forked", f"{store}4:mode=off", "a child of a parent that is off")]
        native = {who: steps(who, None) for who in ("begun", "forked")}
        for who, options, what in unrecorded:
            more = steps(who, options) - native[who]
            print(f"{what}: {more:.1f} more than {native[who]:.1f}")
            failed |= not 0 < more <= MOST
        recorded = steps("begun", f"{store}5") - native["begun"]
        print(f"recorded: {recorded:.1f} more")
        failed |= recorded < 4 * MOST  # or nothing above was the recorder's
    sys.exit(failed)


main()
