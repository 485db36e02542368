# SPDX-License-Identifier: GPL-2.0-only OR MIT
# field: Python calls free() and malloc() of the C library by ctypes
# build: cp $SRC/ctypes.py use_ctypes.py
# run: python3 -S $BIN/use_ctypes.py
# needs: python3
import ctypes

libc = ctypes.CDLL("libc.so.6")
libc.strdup.restype = libc.malloc.restype = ctypes.c_void_p
for i in range(3000):
    libc.free(ctypes.c_void_p(libc.strdup(b"text")))
    libc.free(ctypes.c_void_p(libc.malloc(40 + i)))
whole = ctypes.CDLL(None)
whole.malloc.restype = ctypes.c_void_p
for i in range(3000):
    libc.free(ctypes.c_void_p(whole.malloc(i)))
print("done")
