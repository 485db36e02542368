#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""`stackdepot service` on images: what it reads, what it writes, what it refuses.

usage: test_service.py STACKDEPOT PRELOAD SOURCE-ROOT

An image is a directory with units, a C library and the recorder; systemd-analyze, where it is, says
whether what was written is a good unit. TESTS="a b" runs these alone. With systemd running it is
test_boot.py's business.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

TOOL, PRELOAD, ROOT = sys.argv[1:4]
TESTS = os.environ.get("TESTS", "").split()
UNIT = "[Service]\nExecStart=/usr/bin/cat /dev/zero\n"
LINK = "/lib64/ld-linux-x86-64.so.2" if os.uname().machine == "x86_64" else "/lib/ld-linux-aarch64.so.1"


def fail(text, *details):
    print("FAILED", text)
    for detail in details:
        print(detail)
    sys.exit(1)


def check(condition, text, *details):
    if not condition:
        fail(text, *details)


def installed():
    """Where packages have the library, as the tool says."""
    with tempfile.TemporaryDirectory() as empty:
        put(empty, "usr/lib/systemd/system/a.service", UNIT)
        return re.search(r"(/\S+/libstackdepot-preload\.so) is not in", call(empty, "enable", "a").stderr)[1]


def call(image, verb, *words, **more):
    command = [TOOL, "service", verb, *([f"--root={image}"] if image else []), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **more)


def put(image, path, text, link=False):
    path = os.path.join(image, path.lstrip("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if link:
        os.symlink(text, path)
    else:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def copy(image, source, path=None):
    target = os.path.join(image, (path or source).lstrip("/"))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    shutil.copy(os.path.realpath(source), target)


def image_in(directory, unit=UNIT, name="web.service"):
    """With the programs that units here name, and the recorder."""
    for path in ("/usr/bin/cat", LINK):
        copy(directory, path)
    copy(directory, PRELOAD, LIBRARY)
    put(directory, f"usr/lib/systemd/system/{name}", unit)
    return directory


def drop_in(image, name="web.service", where="etc/systemd/system"):
    with open(os.path.join(image, where, f"{name}.d/stackdepot.conf"), encoding="utf-8") as file:
        return file.read()


def enabled(image, name="web", *words):
    """What the drop-in then has, of each key its values."""
    done = call(image, "enable", name, *words)
    check(done.returncode == 0 and not done.stderr, f"enable {name}", done.stdout, done.stderr)
    path = done.stdout.strip()
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", text, flags=re.M):
        found.setdefault(key, []).append(value)
    return found


def verified(image, name):
    """systemd's own opinion of the unit with what was dropped in."""
    if not shutil.which("systemd-analyze"):
        return
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={image}", name],
                          capture_output=True, text=True, check=False)
    said = [line for line in done.stderr.splitlines() if "stackdepot.conf" in line]
    check(not said, f"systemd-analyze verify {name}", *said)


def refused(image, *parts, words=(), name="web"):
    """One line that has PARTS, another one that it is left, and nothing is written; but with --force."""
    done = call(image, "enable", *words, name)
    lines = done.stderr.splitlines()
    check(done.returncode == 2 and not done.stdout, f"{parts} should be refused", done.stdout, done.stderr)
    check(len(lines) == 2 and all(part in lines[0] for part in parts), f"one line with {parts}", done.stderr)
    check(lines[1].endswith(".service is left as it is"), "is left", done.stderr)
    check(not os.path.exists(os.path.join(image, "etc/systemd/system", f"{name}.service.d")), "something was written")
    done = call(image, "enable", "--force", *words, name)
    check(done.returncode == 0 and len(done.stderr.splitlines()) == 1, f"--force {parts}", done.stdout, done.stderr)


# --- what is written ---------------------------------------------------------------------------------

def test_plain(image):
    image_in(image)
    found = enabled(image)
    check(re.fullmatch(r'"LD_PRELOAD=(/\S+/)libstackdepot-preload\.so"', found["Environment"][0]), "LD_PRELOAD", found)
    check(found["Environment"][1] == '"STACKDEPOT_OPTIONS=store=%S/stackdepot/web/web.stackdepot:memory=64M:overhead=1:'
          'same-owner=yes:stderr=journal"', "options", found)
    check(found["StateDirectory"] == ['"stackdepot/web"'] and found["UnsetEnvironment"] == ["STATE_DIRECTORY"],
          "state directory", found)
    verified(image, "web.service")
    path = os.path.join(image, "etc/systemd/system/web.service.d/stackdepot.conf")
    check(os.stat(path).st_mode & 0o777 == 0o644, "others may read it", oct(os.stat(path).st_mode))
    check(os.listdir(os.path.dirname(path)) == ["stackdepot.conf"], "and nothing beside it")
    before = drop_in(image)
    enabled(image, "web.service")
    check(drop_in(image) == before, "enabled twice is enabled once")
    done = call(image, "status")
    check(done.returncode == 0 and done.stdout.startswith("web.service: enabled by ") and "no store yet" in done.stdout
          and "changed" not in done.stdout, "status", done.stdout)
    check(call(image, "disable", "web").returncode == 0 and not os.path.exists(os.path.dirname(path)), "disable")
    done = call(image, "status", "web")
    check(done.returncode == 1 and done.stdout == "web.service: not enabled\n", "status", done.stdout)
    done = call(image, "disable", "web")
    check(done.returncode == 2 and "web.service is not enabled" in done.stderr, "disabled twice", done.stderr)


def test_options(image):
    image_in(image)
    for words, expected in ((["--memory=8M", "--overhead=0.5"], "memory=8M:overhead=0.5:"),
                            (["--mode=full"], "memory=64M:mode=full:"), (["--mode=sample=64K"], "mode=sample=64K:")):
        check(expected in enabled(image, "web", *words)["Environment"][1], words, drop_in(image))
        check("changed" not in call(image, "status").stdout, f"{words}: the same as before", call(image, "status").stdout)
    done = call(image, "enable", "--runtime", "web")
    check(done.returncode == 0 and "STACKDEPOT" in drop_in(image, where="run/systemd/system"), "--runtime", done.stderr)
    check(call(image, "disable", "--all").returncode == 0 and not call(image, "status").stdout, "disable --all")
    check(call(image, "disable", "--all").returncode == 0, "none is left")


def test_stores(image):
    """Those of units whose names systemd escapes are found again, and told."""
    image_in(image)
    for name in ("web", r"a\x2db", r"tty@a\x2db"):
        image_in(image, name=(name if "@" not in name else "tty@") + ".service")
        enabled(image, name)
        check("no store yet" in call(image, "status", name).stdout, f"{name}: none yet", call(image, "status", name).stdout)
        directory = os.path.join(image, "var/lib/stackdepot", name)
        os.makedirs(directory)
        store = os.path.join(directory, name + ".stackdepot")
        subprocess.run([TOOL, "run", "--quiet", "--memory=1M", "--store", store, "--", "/bin/true"], check=True)
        said = call(image, "status", name).stdout
        check(f"{store}: 1.0 MiB, 1 process, 0 running" in said, f"{name}: its store", said)
        with open(store, "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<I", 99))
        check(f"{store}: of another version; a start sets it aside" in call(image, "status", name).stdout, "another version",
              call(image, "status", name).stdout)
        done = call(image, "disable", name)
        check(done.returncode == 0 and store in done.stdout, f"{name}: where the store is that stays", done)


def test_environment(image):
    """What the unit has of its own stays; in a drop-in of others, too, and as it is quoted."""
    image_in(image, UNIT + 'Environment=A=b "LD_PRELOAD=/opt/a b.so" C=d\nStateDirectory=one two:link\\\n three\n')
    put(image, "etc/systemd/system/web.service.d/10-more.conf", "# LD_PRELOAD=x\n[Service]\nStateDirectory=four%i\n")
    found = enabled(image)
    check(found["Environment"][0].endswith('libstackdepot-preload.so:/opt/a b.so"'), "LD_PRELOAD", found)
    check(found["Environment"][2] == '"STATE_DIRECTORY=%S/four%i:%S/one:%S/three:%S/two"', "STATE_DIRECTORY", found)
    check("UnsetEnvironment" not in found, "there was one", found)
    verified(image, "web.service")
    # A list that is emptied; a variable that the unit sets itself.
    put(image, "etc/systemd/system/web.service.d/20-less.conf",
        '[Service]\nStateDirectory=\nEnvironment=\nEnvironment=STATE_DIRECTORY=/x\n')
    check("changed" in call(image, "status").stdout, "the unit has changed", call(image, "status").stdout)
    found = enabled(image)
    check(len(found["Environment"]) == 2 and "UnsetEnvironment" not in found and "b.so" not in str(found), "emptied", found)
    put(image, "etc/systemd/system/web.service.d/20-less.conf", "[Unit]\n[Service]\n# \\\nStateDirectory=five\n")
    check('five:%S/four' in str(enabled(image)), "after a comment that ends with a backslash", drop_in(image))
    os.remove(os.path.join(image, "etc/systemd/system/web.service.d/20-less.conf"))
    put(image, "run/systemd/system/service.d/10-more.conf", "[Service]\nStateDirectory=all\n")
    check('four%i:%S/one:%S/three:%S/two"' in str(enabled(image)), "the nearer of two of one name counts", drop_in(image))
    put(image, "run/systemd/system/service.d/20-all.conf", "[Service]\nStateDirectory=all\n")
    check('"STATE_DIRECTORY=%S/all:%S/four%i:' in str(enabled(image)), "of all services", drop_in(image))


def test_names(image):
    image_in(image, name="tty@.service")
    image_in(image, UNIT.replace("cat", "%p"), name="cat@.service")
    image_in(image, name="a-b-c.service")
    put(image, "etc/systemd/system/alias.service", "/usr/lib/systemd/system/a-b-c.service", link=True)
    put(image, "etc/systemd/system/masked.service", "/dev/null", link=True)
    put(image, "etc/systemd/system/a-b-.service.d/x.conf", "[Service]\nStateDirectory=dash\n")
    found = enabled(image, "tty@")
    check("store=%S/stackdepot/tty@%i/tty@%i.stackdepot:" in found["Environment"][1] and
          found["StateDirectory"] == ['"stackdepot/tty@%i"'], "a template", found)
    found = enabled(image, "tty@ttyS0.service")
    check("store=%S/stackdepot/tty@ttyS0/tty@ttyS0.stackdepot:" in found["Environment"][1], "an instance", found)
    found = enabled(image, r"tty@a\x2db")
    check(r"stackdepot/tty@a\\x2db" in str(found["StateDirectory"]).replace(r"\\\\", r"\\"), "escaped", found)
    enabled(image, "cat@x")
    check("%S/dash" in str(enabled(image, "alias")), "alias", drop_in(image, "a-b-c.service"))
    done = call(image, "status", "alias")
    check(done.returncode == 0 and done.stdout.startswith("a-b-c.service: enabled by "), "status of an alias", done)
    done = call(image, "disable", "alias")
    check(done.returncode == 0 and call(image, "status", "a-b-c").returncode == 1, "disable of an alias", done)
    enabled(image, "alias")
    for name, part in (("nowhere", "there is no nowhere.service in "), ("masked", "masked.service is masked"),
                       ("a.socket", "a.socket is not a service"), ("../x", "'../x' is no name of a service"),
                       ("a:b", "'a:b' is no name"), ("", "'' is no name"), ("x" * 300, "is no name"), ("a b", "is no name")):
        done = call(image, "enable", name)
        check(done.returncode == 2 and done.stderr.count("\n") == 1 and part in done.stderr, name, done.stderr)
    verified(image, "a-b-c.service")


def test_links_stay_in_the_image(image):
    """A link in an image is one of the image's: nothing outside of it is read or written."""
    outside = tempfile.mkdtemp(dir=os.path.dirname(image))
    image_in(image)
    os.makedirs(os.path.join(image, "etc/systemd"))
    os.symlink(outside, os.path.join(image, "etc/systemd/system"))
    done = call(image, "enable", "web")
    check(not os.listdir(outside), "written outside", os.listdir(outside), done.stderr)
    check(done.returncode == 2 and done.stderr.count("\n") == 1, "the link leads nowhere", done.stderr)


# --- what is refused ------------------------------------------------------------------------------------

def with_unit(image, lines, *parts, **more):
    image_in(image, UNIT + lines)
    refused(image, *parts, **more)
    shutil.rmtree(os.path.join(image, "etc"))


def test_filters(image):
    if not shutil.which("systemd-analyze"):
        with_unit(image, "SystemCallFilter=@system-service\n", "no systemd-analyze")
        return
    with_unit(image, "SystemCallFilter=read write openat\n", "SystemCallFilter= forbids", "fallocate", "pwrite64")
    with_unit(image, "SystemCallFilter=~fallocate:EPERM\n", "forbids what the recorder calls: fallocate")
    with_unit(image, "SystemCallFilter=@system-service\nSystemCallFilter=~@signal\n", "calls: rt_sigaction")
    with_unit(image, "SystemCallFilter=~@file-system\n", "fallocate", "ftruncate", "openat")
    with_unit(image, "SystemCallFilter=@no-such\n", "@no-such")
    for good in ("SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources\n",
                 "SystemCallFilter=~@clock @mount\nSystemCallFilter=~@swap\n",
                 "SystemCallFilter=~fallocate\nSystemCallFilter=fallocate\n",
                 "SystemCallFilter=~mmap\nSystemCallFilter=\n"):
        image_in(image, UNIT + good)
        enabled(image)


def test_calls_are_the_recorders():
    """The list is that of filter.c, for this processor."""
    with open(os.path.join(ROOT, "src/recorder/filter.c"), encoding="utf-8") as file:
        recorder = set(re.findall(r"\bSYS_(\w+),", file.read()))
    with open(os.path.join(ROOT, "src/service/calls.c"), encoding="utf-8") as file:
        text = re.search(r"calls\[\] = \{(.*?)\n\};", file.read(), flags=re.S)[1]
    listed = set(re.findall(r'"(\w+)"', text))
    check(listed == recorder - {"seccomp"} and len(listed) > 30, "src/service/calls.c and filter.c", listed ^ recorder)


def test_hardened(image):
    directory = os.path.dirname(LIBRARY)
    above = os.path.dirname(directory)
    with_unit(image, f"InaccessiblePaths=-{above}/\n", "InaccessiblePaths= hides", LIBRARY)
    with_unit(image, "TemporaryFileSystem=/var:ro\n", "TemporaryFileSystem= hides", "/var/lib/stackdepot")
    with_unit(image, "NoExecPaths=/\nExecPaths=/usr/bin\n", "NoExecPaths= forbids to load", LIBRARY)
    with_unit(image, "RootDirectory=/other\n", LIBRARY, "/other: stackdepot-preload has to be installed there")
    with_unit(image, "RootImage=/x.raw\n", "RootImage= is not looked into")
    with_unit(image, "LimitFSIZE=32M\n", "LimitFSIZE= is less")
    with_unit(image, "LimitAS=256M:infinity\n", "LimitAS= is less than 8 times")
    with_unit(image, "LimitDATA=1M\n", "LimitDATA= leaves")
    with_unit(image, "User=web\nExecStart=\nExecStart=+/usr/bin/cat\n", "ExecStart=+ runs as root")
    with_unit(image, "ExecStart=\n", "has no ExecStart=")
    put(image, "etc/default/web", "# LD_PRELOAD=\n LD_PRELOAD = /x.so\n")
    image_in(image, UNIT + "EnvironmentFile=-/etc/default/web\n")
    refused(image, "/etc/default/web sets LD_PRELOAD")
    shutil.rmtree(os.path.join(image, "etc/systemd"))
    for good in (f"NoExecPaths=/\nExecPaths=/usr/bin {directory}\n", f"InaccessiblePaths={above}x /home\n",
                 f"InaccessiblePaths={above}\nBindReadOnlyPaths={directory}\n", "LimitFSIZE=infinity\nLimitAS=1G\n",
                 "EnvironmentFile=-/etc/default/nothing\nLimitFSIZE=64M\n", "RootDirectory=/\n",
                 "User=root\nExecStart=\nExecStart=+/usr/bin/cat\n", "ExecStart=\nExecStart=cat\n",
                 "DynamicUser=yes\nProtectSystem=strict\nPrivateTmp=yes\nProtectHome=yes\nPrivateUsers=yes\n"
                 "NoNewPrivileges=yes\nMemoryMax=64M\nRestrictAddressFamilies=AF_UNIX\nReadOnlyPaths=/\n"):
        image_in(image, UNIT + good)
        enabled(image)
    image_in(image, UNIT + "MemoryDenyWriteExecute=true\n")
    done = call(image, "enable", "web")
    check(done.returncode == 0 and done.stderr.count("\n") == 1 and "MemoryDenyWriteExecute=" in done.stderr,
          "a note, and enabled", done.stderr)


def test_programs(image):
    """Static, set-user-ID and foreign programs are named."""
    with tempfile.TemporaryDirectory() as directory:
        source = os.path.join(directory, "a.c")
        put(directory, "a.c", "int main(void) { return 0; }\n")
        subprocess.run(["cc", "-static", "-o", os.path.join(directory, "static"), source], check=True)
        copy(image, os.path.join(directory, "static"), "usr/bin/static")
    copy(image, "/usr/bin/cat", "usr/bin/setuid")
    os.chmod(os.path.join(image, "usr/bin/setuid"), 0o4755)
    put(image, "usr/bin/script", "#!/usr/bin/static\n")
    for program, part in (("/usr/bin/static", "is statically linked"), ("@static argv0", "is statically linked"),
                          ("-/usr/bin/script", "/usr/bin/static is statically linked")):
        with_unit(image, f"ExecStart=\nExecStart={program}\n", part)
    with_unit(image, "DynamicUser=yes\nExecStart=\nExecStart=/usr/bin/setuid\n", "is setuid")


def test_not_root():
    """Without rights: one line."""
    if os.geteuid() == 0:
        os.setegid(65534)
        os.seteuid(65534)
    try:
        with tempfile.TemporaryDirectory() as home:
            put(home, ".config/systemd/user/mine.service", UNIT)
            environment = {"HOME": home, "PATH": os.environ["PATH"]}
            as_user = {"env": environment} | ({} if os.getuid() else {"user": 65534, "group": 65534})
            done = subprocess.run([TOOL, "service", "enable", "--user", "mine"], capture_output=True, text=True, check=False,
                                  **as_user)
            check(done.returncode == 0 and "StateDirectory" in drop_in(home, "mine.service", ".config/systemd/user"),
                  "--user", done.stdout, done.stderr)
            done = subprocess.run([TOOL, "service", "disable", "--all"], capture_output=True, text=True, check=False, **as_user)
            check(done.returncode == 0, "disable --all as user", done.stderr)
            unit = next((name for name in ("systemd-logind", "dbus", "cron")
                         if os.path.exists(f"/usr/lib/systemd/system/{name}.service")), None)
            if unit:
                done = subprocess.run([TOOL, "service", "enable", "--force", unit], capture_output=True, text=True, check=False,
                                      **as_user)
                last = done.stderr.splitlines()[-1]
                check(done.returncode == 2 and last.endswith("Permission denied; root may"), "not root", done.stderr)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
            os.setegid(0)


def test_library_by_token():
    """What the loader makes of $LIB in LD_PRELOAD is the library for what the program starts, too; its own user's store, or none."""
    with tempfile.TemporaryDirectory() as directory:
        for name in ("lib", "lib64", f"lib/{os.uname().machine}-linux-gnu"):
            copy(directory, PRELOAD, f"{name}/libstackdepot-preload.so")
        store = directory + "/a.stackdepot"
        environment = {"PATH": os.environ["PATH"], "LD_PRELOAD": directory + "/$LIB/libstackdepot-preload.so",
                       "STACKDEPOT_OPTIONS": f"store={store}:memory=1M:same-owner=yes"}
        done = subprocess.run(["sh", "-c", "cat /dev/null; exit 3"], env=environment, capture_output=True, text=True, check=False)
        check(done.returncode == 3 and not done.stderr, "sh", done.stderr)
        done = subprocess.run([TOOL, "report", "leaks", "--json", store], capture_output=True, text=True, check=False)
        told = json.loads(done.stdout)
        check(len(told["processes"]) == 2 and not told["not_recorded"] and not told["messages"], "both are recorded", told)
        if os.geteuid() == 0:
            os.remove(store)
            os.chown(directory, 65534, 65534)
            done = subprocess.run(["true"], env=environment, capture_output=True, text=True, check=False)
            check("same-owner=" in done.stderr and not os.path.exists(store), "another's directory", done.stderr)
            environment["STACKDEPOT_OPTIONS"] += ":stderr=journal"
            done = subprocess.run(["true"], env=environment, capture_output=True, text=True, check=False)
            check(not done.stderr, "this is no journal", done.stderr)


LIBRARY = installed()


def main():
    tests = {name[5:]: test for name, test in globals().items() if name.startswith("test_")}
    ran = 0
    for name, test in tests.items():
        if TESTS and name not in TESTS:
            continue
        ran += 1
        with tempfile.TemporaryDirectory() as directory:
            if test.__code__.co_argcount:
                image = os.path.join(directory, "image")
                os.mkdir(image)
                test(image)
            else:
                test()
        print(f"{name}: good")
    check(ran, "no such test", TESTS)
    return 0


sys.exit(main())
