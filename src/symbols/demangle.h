/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* demangle.h - what the mangled names of C++, Rust and D stand for. */
#ifndef SYMBOLS_DEMANGLE_H
#define SYMBOLS_DEMANGLE_H

/* To be freed; NULL if the name is not a mangled one, or too long, or of a language not known. */
char *demangle(const char *name);

#endif
