# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""What runs in the machine that system.py boots, and does what that asks for: a line of JSON each way.

/host is a folder of the other side: programs and library are in /host/files, stores go to /host/kept.
"""
import contextlib
import glob
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import time
import traceback

PORTS, PORT = "/sys/class/virtio-ports/*/name", "stackdepot"
HOST, FILES, KEPT = pathlib.Path("/host"), pathlib.Path("/t"), pathlib.Path("/host/kept")
STORES = pathlib.Path("/stores")
SECONDS = 3000  # an emulator beside other work is slow


def with_libraries(environment, store=None, options="", beside=()):
    """The environment of a program, recorded if there is a store. What else is preloaded comes after the recorder."""
    result = dict(environment)
    if store:
        result["STACKDEPOT_OPTIONS"] = f"store={store}:{options}"
    libraries = [f"{FILES}/libstackdepot-preload.so"] if store else []
    libraries += [*beside, *([environment["LD_PRELOAD"]] if environment.get("LD_PRELOAD") else [])]
    if libraries:
        result["LD_PRELOAD"] = ":".join(libraries)
    return result


def keep(path):
    """A store is mostly holes, which nobody needs to carry over. Its name there."""
    kept = KEPT / f"{len(os.listdir(KEPT))}-{os.path.basename(path)}"
    with open(path, "rb") as source, open(kept, "wb") as copy:
        size, at = os.fstat(source.fileno()).st_size, 0
        while at < size:
            try:
                start = os.lseek(source.fileno(), at, os.SEEK_DATA)
            except OSError:
                break
            at = os.lseek(source.fileno(), start, os.SEEK_HOLE)
            source.seek(start)
            copy.seek(start)
            copy.write(source.read(at - start))
        copy.truncate(size)
    os.unlink(path)
    return kept.name


def do_run(command, options, preload, environment, seconds, beside=()):
    """One command, recorded or not. Its store's name, if there is one."""
    store = STORES / "store"
    environment = with_libraries({**os.environ, **environment}, store if preload else None, options, beside)
    with open(STORES / "stdout", "w+b") as stdout, open(STORES / "stderr", "w+b") as stderr:
        begun = time.monotonic()
        with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr) as process:
            late = threading.Timer(seconds, process.kill)
            late.start()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            late.cancel()
        took = time.monotonic() - begun
        said = [file.seek(0) or file.read().decode(errors="replace") for file in (stdout, stderr)]
    return {"status": process.returncode, "stdout": said[0], "stderr": said[1], "seconds": took, "peak_kib": used.ru_maxrss,
            "stores": [keep(path) for path in glob.glob(f"{store}*")]}


def do_program(name, options, environment):
    """A program of tests/recorder/test_programs.py, without and with the recorder: the same results, and what of stores
    is to be looked at."""
    sys.path[:0] = [str(FILES / "tests/recorder")]
    import test_programs  # pylint: disable=import-outside-toplevel
    stores = []

    def recorded(store, command, memory="32M", by=None):  # pylint: disable=unused-argument
        words = [f"{key}={value}" for key, value in with_libraries(environment, store, f"memory={memory}:{options}").items()]
        return ["/usr/bin/env", *words, *command]

    def check_stores(store, function, least):
        # What a program opened by another name is not among them.
        stores.append({"files": [keep(path) for path in glob.glob(store + "*")], "function": function, "least": least})

    test_programs.SECONDS, test_programs.PYTHON_TESTS = SECONDS, ["test.test_textwrap"]
    # A process for each transaction.
    test_programs.POSTGRES_WORK = (["-C", "-c", "2", "-t", "10"], 20)
    test_programs.recorded, test_programs.check_stores = recorded, check_stores
    test_programs.for_everybody = lambda _: None  # as FILES is
    said, begun, trouble = io.StringIO(), time.monotonic(), None
    directory = STORES / name
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    saved = dict(os.environ)
    os.environ.update(environment)
    try:
        with contextlib.redirect_stdout(said):
            getattr(test_programs, "program_" + name)(str(directory), str(directory / "store"))
    except SystemExit:
        trouble = said.getvalue()
    finally:
        os.environ.clear()
        os.environ.update(saved)
    return {"trouble": trouble, "stores": stores, "seconds": time.monotonic() - begun}


def answer(line):
    request = json.loads(line)
    try:
        return globals()["do_" + request.pop("do")](**request)
    except Exception:  # pylint: disable=broad-exception-caught
        return {"raised": traceback.format_exc()}


def port():
    for name in glob.glob(PORTS):
        if pathlib.Path(name).read_text(encoding="ascii").strip() == PORT:
            return open(f"/dev/{pathlib.Path(name).parent.name}", "r+b", buffering=0)
    sys.exit(f"no port {PORT}")


def main():
    shutil.copytree(HOST / "files", FILES)
    # PostgreSQL's are of a user that is not root.
    STORES.mkdir(mode=0o777)
    STORES.chmod(0o777)
    subprocess.run(["/bin/mount", "-t", "tmpfs", "-o", "mode=1777", "stores", str(STORES)], check=True)
    sys.argv = ["guest.py", str(FILES / "libstackdepot-preload.so")]
    with port() as link:
        link.write(b'{"ready": true}\n')
        for line in io.BufferedReader(link):
            link.write(json.dumps(answer(line)).encode() + b"\n")


main()
