/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* hooks_new.h - operator new and delete, by their mangled names. */
#ifndef RECORDER_HOOKS_NEW_H
#define RECORDER_HOOKS_NEW_H

#include <stddef.h>

void *_Znwm(size_t size);
void *_Znam(size_t size);
void *_ZnwmRKSt9nothrow_t(size_t size, const void *tag);
void *_ZnamRKSt9nothrow_t(size_t size, const void *tag);
void *_ZnwmSt11align_val_t(size_t size, size_t align);
void *_ZnamSt11align_val_t(size_t size, size_t align);
void *_ZnwmSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *tag);
void *_ZnamSt11align_val_tRKSt9nothrow_t(size_t size, size_t align, const void *tag);

void _ZdlPv(void *pointer);
void _ZdaPv(void *pointer);
void _ZdlPvm(void *pointer, size_t size);
void _ZdaPvm(void *pointer, size_t size);
void _ZdlPvRKSt9nothrow_t(void *pointer, const void *tag);
void _ZdaPvRKSt9nothrow_t(void *pointer, const void *tag);
void _ZdlPvSt11align_val_t(void *pointer, size_t align);
void _ZdaPvSt11align_val_t(void *pointer, size_t align);
void _ZdlPvmSt11align_val_t(void *pointer, size_t size, size_t align);
void _ZdaPvmSt11align_val_t(void *pointer, size_t size, size_t align);
void _ZdlPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align, const void *tag);
void _ZdaPvSt11align_val_tRKSt9nothrow_t(void *pointer, size_t align, const void *tag);

#endif
