#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR MIT
#
# field: as java, and jcmd asks for the map while it runs; it ends without more ado
# build: cp $SRC/Heap.java .; javac Heap.java; install -m 755 $SRC/java_asked.sh java-asked
# run: java-asked
# needs: openjdk-17-jdk-headless
# modes: full
# slow: yes
# watch: no
# expect: errors 0
# expect: says void Heap.keepsBuffers\(\) \[jit\]
# expect: says by frame pointer
exec java -XX:+PreserveFramePointer -Xmx64m -cp "$(dirname "$(command -v java-asked)")" Heap ask
