#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# field: a heap of openjdk is explained by functions of Java, of which it writes a perf map at its end
# build: cp $SRC/Heap.java .; javac Heap.java; install -m 755 $SRC/java.sh java-heap
# run: java-heap
# needs: openjdk-17-jdk-headless
# modes: full
# slow: yes
# watch: no
# expect: errors 0
# expect: says void Heap.keepsBuffers\(\) \[jit\]
# expect: says by frame pointer
exec java -XX:+PreserveFramePointer -XX:+UnlockDiagnosticVMOptions -XX:+DumpPerfMapAtExit -Xmx64m \
	-cp "$(dirname "$(command -v java-heap)")" Heap
