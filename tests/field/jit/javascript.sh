#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# field: a heap of node is explained by functions of JavaScript, interpreted and compiled
# run: sh $BIN/javascript
# needs: nodejs
# modes: full
# slow: yes
# watch: no
# maps: 4000
# expect: errors 0
# expect: says by frame pointer
# expect: says JS:.*keepsBuffers.*\[jit\]
# expect: says node::Start
cat > heap.js <<'END'
const kept = [];
function keepsBuffers(n) { for (let i = 0; i < n; i++) kept.push(Buffer.allocUnsafeSlow(1000)); }
function byWayOf(n) { keepsBuffers(n); }
for (let i = 0; i < 20; i++) byWayOf(50);
console.log(kept.length);
process.kill(process.pid, 'SIGTERM');
END
node --perf-basic-prof --interpreted-frames-native-stack heap.js
status=$?
rm -f heap.js isolate-*.log
exit $status
