#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Each function that makes a system call, and each file of the recorder that calls it, is known here.

usage: test_calls.py LIBRARY SOURCES...

None is called by the order of symbols, where a library of the user's may have it: direct.c makes them.
A program under a seccomp filter of its own must not be ended by a call of ours, so such a call is made
at the start only, or in a call of the program's that is the same one, or asks filter_allows() first.
A function of the C library that is new here, or a file that calls one for the first time, fails: say below
which of these it is, and give filter.c the call.
"""
import os
import re
import subprocess
import sys

# No system call, or one that the vDSO or a lock without contention spares.
NONE = set("""
    __errno_location __progname_full program_invocation_name __environ environ __libc_single_threaded
    __libc_stack_end __cxa_finalize __gmon_start__ _ITM_deregisterTMCloneTable _ITM_registerTMCloneTable
    _dl_find_object _r_debug dl_iterate_phdr __tls_get_addr __x86_get_cpuid_feature_leaf abort getauxval getenv
    getpagesize memchr memcmp memcpy memmem memmove mempcpy memset pthread_attr_getsigmask_np pthread_key_create
    pthread_self pthread_setcancelstate
    __register_atfork pthread_setspecific sigaddset sigdelset sigismember snprintf stpcpy strcat strchr strchrnul strcmp
    strcpy strcspn strerrordesc_np strlen strncpy strncmp strrchr strspn strstr strtoul __stack_chk_fail
    __memcpy_chk __snprintf_chk __strcpy_chk __strcat_chk __memset_chk __isoc23_strtoul dlsym rawmemchr
    """.split())

# OTHER: in what the recorder shares with the library and the tool, and does not call itself.
START, PROGRAM, OTHER = "start", "program", "other"
# function or SYS_number: {file: who has seen to it}
CALLS = {
    "clock_gettime": {"overhead.c": "FILTER_CLOCK", "reap.c": "FILTER_STORE", "recorder.c": "FILTER_STORE", "slot.c": "FILTER_CHILD"},
    "close": {"attach.c": "FILTER_STORE", "exec.c": "FILTER_EXEC", "limits.c": "FILTER_STORE", "locks.c": "FILTER_STORE",
              "memory.c": OTHER, "modules.c": "FILTER_MAPS", "recorder.c": "FILTER_STORE", "setup.c": "FILTER_STORE", "slot.c": "FILTER_CHILD"},
    "dup": {"exec.c": "FILTER_EXEC"},
    "faccessat": {"exec.c": "FILTER_EXEC"},
    "fallocate": {"limits.c": "FILTER_STORE", "memory.c": OTHER},
    "fdatasync": {"limits.c": "FILTER_STORE"},
    "fcntl": {"locks.c": "FILTER_STORE", "recorder.c": "FILTER_STORE"},
    "fgetxattr": {"exec.c": "FILTER_EXEC"},
    "fstat": {"attach.c": "FILTER_STORE", "limits.c": "FILTER_STORE", "memory.c": OTHER, "say.c": START},
    "fstatat": {"exec.c": "FILTER_EXEC"},
    "fstatfs": {"exec.c": "FILTER_EXEC", "limits.c": "FILTER_STORE"},
    "ftruncate": {"limits.c": "FILTER_STORE", "memory.c": OTHER},
    "getcwd": {"modules.c": "FILTER_GETCWD"},
    "getegid": {"exec.c": "FILTER_EXEC"},
    "geteuid": {"attach.c": "FILTER_STORE", "exec.c": "FILTER_EXEC"},
    "getuid": {"exec.c": "FILTER_EXEC"},
    "getpid": {"altstack.c": "FILTER_GETPID", "crash.c": "FILTER_GETPID", "environment.c": "FILTER_EXEC",
               "exec.c": "FILTER_GETPID", "recorder.c": "FILTER_GETPID", "say.c": "FILTER_GETPID", "setup.c": "FILTER_GETPID", "slot.c": "FILTER_CHILD"},
    "getppid": {"slot.c": "FILTER_CHILD"},
    "getrandom": {"memory.c": "FILTER_STORE"},
    "getrlimit": {"guard.c": START, "limits.c": "FILTER_STORE"},
    "kill": {"locks.c": "FILTER_STORE"},
    "madvise": {"attach.c": "FILTER_STORE", "setup.c": "FILTER_STORE", "thread.c": "FILTER_MADVISE"},
    "mmap": {"attach.c": "FILTER_STORE", "environment.c": "FILTER_EXEC", "exec.c": "FILTER_EXEC",
             "guard.c": START, "jit.c": PROGRAM, "locks.c": START, "memory.c": "FILTER_STORE",
             "patch.c": START, "recount.c": "FILTER_STORE", "registered.c": "FILTER_MMAP", "setup.c": "FILTER_STORE", "thread.c": "FILTER_MMAP"},
    "mprotect": {"guard.c": "FILTER_MPROTECT", "jit.c": PROGRAM, "patch.c": START},
    "munmap": {"attach.c": "FILTER_STORE", "environment.c": "FILTER_EXEC", "exec.c": "FILTER_EXEC",
               "jit.c": PROGRAM, "locks.c": START, "memory.c": "FILTER_STORE", "patch.c": START,
               "recount.c": "FILTER_STORE", "thread.c": "FILTER_MMAP"},
    "nanosleep": {"attach.c": "FILTER_STORE", "slot.c": "FILTER_CHILD", "live.c": "FILTER_CHILD"},
    "open": {"exec.c": "FILTER_EXEC", "locks.c": "FILTER_STORE", "memory.c": OTHER, "recorder.c": "FILTER_STORE"},
    "openat": {"exec.c": "FILTER_EXEC"},
    "pread": {"attach.c": "FILTER_STORE", "exec.c": "FILTER_EXEC", "sanitizer.c": "FILTER_EXEC"},
    "pwrite": {"limits.c": "FILTER_STORE"},
    "read": {"limits.c": "FILTER_STORE", "locks.c": "FILTER_STORE", "modules.c": "FILTER_MAPS", "slot.c": "FILTER_CHILD"},
    "readlink": {"modules.c": "FILTER_READLINK"},
    "stat": {"attach.c": START, "exec.c": "FILTER_EXEC", "modules.c": "FILTER_STAT", "slot.c": "FILTER_CHILD"},
    "unlink": {"attach.c": "FILTER_STORE", "memory.c": OTHER},
    "write": {"options.c": START, "say.c": START, "signal.c": START},
    "rename": {"attach.c": "FILTER_STORE"},
    "SYS_exit_group": {"exit.c": PROGRAM},
    "SYS_mremap": {"maps.c": PROGRAM},
    "SYS_shmat": {"maps.c": PROGRAM},
    "SYS_shmctl": {"maps.c": "FILTER_SHARED"},
    "SYS_shmdt": {"maps.c": PROGRAM},
    "SYS_futex": {"exit.c": "FILTER_LOOK"},
    "SYS_gettid": {"thread.c": "FILTER_GETTID"},
    "SYS_madvise": {"attach.c": "FILTER_POPULATE", "guard.c": "FILTER_MADVISE"},
    "SYS_mmap": {"attach.c": "FILTER_MMAP", "jit.c": PROGRAM},
    "SYS_mprotect": {"jit.c": PROGRAM, "patch_x86.c": START, "patch_arm64.c": START},
    "SYS_munmap": {"jit.c": PROGRAM},
    "SYS_pkey_mprotect": {"jit.c": PROGRAM},
    "SYS_prctl": {"exec.c": "FILTER_EXEC", "exit.c": "FILTER_LOOK", "filter.c": PROGRAM},
    "SYS_rt_sigpending": {"exit.c": "FILTER_LOOK"},
    "SYS_rt_sigaction": {"disposition.c": PROGRAM, "signal.c": START},
    "SYS_rt_sigprocmask": {"exit.c": "FILTER_LOOK", "handler.c": "FILTER_SIGPROCMASK", "mask.c": PROGRAM, "recorder.c": "FILTER_SIGPROCMASK",
                           "signal.c": "FILTER_SIGPROCMASK"},
    "SYS_rt_tgsigqueueinfo": {"crash.c": "FILTER_SIGQUEUE"},
    "SYS_tgkill": {"crash.c": "FILTER_TGKILL"},
    "SYS_sigaltstack": {"altstack.c": "FILTER_SIGALTSTACK"},
}
NUMBER = re.compile(r"\b(?:raw_call|syscall)\(\s*(SYS_\w+)|=\s*(SYS_\w+)\s*;|__asm__.*\b(SYS_\w+)")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def imports(library):
    done = subprocess.run(["nm", "-D", "--undefined-only", library], capture_output=True, text=True,
                          check=True)
    names = {line.split()[-1].split("@")[0] for line in done.stdout.splitlines()}
    return {re.sub(r"64$", "", name) for name in names}


def code_of(path):
    with open(path, encoding="utf-8") as file:
        return TEXT.sub('""', COMMENT.sub(" ", file.read()))


def called(code):
    """Names of CALLS and numbers; not what is defined or a member."""
    found = {name for name in CALLS if not name.startswith("SYS_") and
             re.search(rf"(?<![\w.>])(?<!int )(?<!HOOK void \*)(?<!EXPORT int ){name}\(", code)}
    return found | {number for match in NUMBER.findall(code) for number in match if number}


def numbers_of(filter_code):
    """Of each call of the filter's, the system calls that are tried."""
    found = {}
    for call, number in re.findall(r"\{\s*(FILTER_\w+),\s*(?:#ifdef \w+\s*)?(SYS_\w+)", filter_code):
        found.setdefault(call, set()).add(number)
    return found


# What a function calls, where it is named otherwise.
KERNEL = {"fstat": "newfstatat", "fstatat": "newfstatat", "stat": "newfstatat", "open": "openat",
          "getrlimit": "prlimit64", "nanosleep": "clock_nanosleep", "pread": "pread64", "pwrite": "pwrite64", "faccessat": "faccessat2"}


def main():
    library, *sources = sys.argv[1:]
    asked = imports(library)
    failures = [f"{name}: new in the library: does it make a system call?"
                for name in sorted(asked - NONE - CALLS.keys())]
    failures += [f"{name}: called by the order of symbols: direct.c does not have it"
                 for name in sorted(asked & CALLS.keys())]
    sources = [path for path in sources if os.path.basename(path) != "direct.c"]
    codes = {os.path.basename(path): code_of(path) for path in sources}
    tried = numbers_of(codes["filter.c"])
    uses = 0
    for file, code in sorted(codes.items()):
        for name in sorted(called(code)):
            uses += 1
            by = CALLS.get(name, {}).get(file)
            if not by:
                failures.append(f"{file}: {name}: nobody has seen to it")
            elif by.startswith("FILTER_"):
                number = name if name.startswith("SYS_") else "SYS_" + KERNEL.get(name, name)
                if number not in tried.get(by, set()):
                    failures.append(f"{file}: {name}: filter.c does not try {number} for {by}")
    for line in failures:
        print("FAILED", line)
    print(f"calls: {uses} uses of system calls in {len(codes)} files, {len(failures)} not seen to")
    return bool(failures) or not uses


if __name__ == "__main__":
    sys.exit(main())
