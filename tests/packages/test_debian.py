#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""test_debian.py SOURCE BUILD LIBRARY - what can be said of debian/ without building packages.

  version    the changelog's is that of meson.build
  control    each package's can be made of it
  symbols    the library exports what the symbols file has, no more and no less
  installed  what meson installs is in one package, and in one only; what a package wants is there, also
             in the tree
  licences   debian/copyright has for each library in the page what package-lock.json says
  tests      those that debian/tests/control names can be run
"""

import fnmatch
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE, BUILD, LIBRARY = (pathlib.Path(word).resolve() for word in sys.argv[1:])
DEBIAN = SOURCE / "debian"
# As Debian has them, which follows no list but its own.
LICENCES = {"BSD-3-Clause": "BSD-3-clause"}

problems = []


def run(*words):
    """What it prints; its complaint is a problem of ours."""
    result = subprocess.run(words, cwd=SOURCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if result.returncode:
        problems.append(f"{words[0]}: {result.stdout.strip()}")
    return result.stdout.strip()


def lines_of(path):
    text = path.read_text(encoding="utf-8")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def packages():
    return re.findall(r"^Package: (\S+)", (DEBIAN / "control").read_text(encoding="utf-8"), flags=re.M)


def meson(what):
    words = ["meson", "introspect", what, str(BUILD)]
    return json.loads(subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout)


def check_version():
    debian = run("dpkg-parsechangelog", "-S", "Version")
    version = meson("--projectinfo")["version"]
    if debian.rpartition("-")[0] != version:
        problems.append(f"debian/changelog is of {debian}, and meson.build of {version}")


def check_control(directory):
    for package in packages():
        text = run("dpkg-gencontrol", f"-p{package}", f"-P{directory}", f"-f{directory}/files", f"-O{directory}/control",
                   "-Vmisc:Depends=", "-Vshlibs:Depends=", "-Vmisc:Pre-Depends=", "-Vlibiberty:Built-Using=")
        if "substitution variable" in text:
            problems.append(text)


def check_symbols(directory):
    # Of a symbol that came with the version that it is told, it forgives that it is missing.
    run("dpkg-gensymbols", "-c4", "-plibstackdepot0", "-v" + run("dpkg-parsechangelog", "-S", "Version"), f"-e{LIBRARY}",
        f"-P{directory}", "-Idebian/libstackdepot0.symbols", f"-O{directory}/symbols")


def check_installed():
    options = {option["name"]: option["value"] for option in meson("--buildoptions")}
    installed = {str(pathlib.PurePath("usr") / pathlib.PurePath(path).relative_to(options["prefix"]))
                 for path in meson("--installed").values()}
    # Links to the library, of which meson tells nothing.
    shared = next(path for path in installed if fnmatch.fnmatch(path, "usr/lib*/libstackdepot.so.*"))
    link = shared[:shared.index(".so.") + 3]
    installed |= {link, link + ".0"}
    taken = {}
    for package in packages():
        path = DEBIAN / f"{package}.install"
        for pattern, *_ in map(str.split, lines_of(path) if path.exists() else []):
            found = [name for name in installed if fnmatch.fnmatchcase(name, pattern) or
                     fnmatch.fnmatchcase(name, pattern + "/*")]
            if not found:
                problems.append(f"debian/{path.name}: nothing is {pattern}")
            for name in found:
                taken.setdefault(name, set()).add(package)
    for name in sorted(installed):
        if len(taken.get(name, ())) != 1:
            problems.append(f"{name} is in {len(taken.get(name, ()))} packages: {taken.get(name, '')}")
    if len(installed) < 10:
        problems.append(f"meson installs {len(installed)} files only")


def check_found_in_tree():
    for path in [*DEBIAN.glob("*.docs"), *DEBIAN.glob("*.examples")]:
        problems.extend(f"debian/{path.name}: there is no {pattern}" for pattern in lines_of(path)
                        if not list(SOURCE.glob(pattern)))


def licence_of(name):
    """Of a path, from the last paragraph that is about it, as debian/copyright has it."""
    found = None
    for paragraph in (DEBIAN / "copyright").read_text(encoding="utf-8").split("\n\n"):
        match = re.match(r"Files: (.*?)\n(?=\S)", paragraph, flags=re.S)
        if match and any(fnmatch.fnmatchcase(name, pattern) for pattern in match[1].split()):
            found = re.search(r"^License: (.*)$", paragraph, flags=re.M)[1]
    return found


def check_licences():
    lock = json.loads((SOURCE / "src/flame/page/package-lock.json").read_text(encoding="utf-8"))
    libraries = {name: about for name, about in lock["packages"].items() if name and not about.get("dev")}
    text = (DEBIAN / "copyright").read_text(encoding="utf-8")
    for name, about in libraries.items():
        licence = LICENCES.get(about["license"], about["license"])
        if licence_of(f"npm/{name}/package.json") != licence:
            problems.append(f"debian/copyright does not have {licence} for npm/{name}")
        if not re.search(rf"^License: {re.escape(licence)}\n ", text, flags=re.M):
            problems.append(f"debian/copyright does not have the text of {licence}")
    if len(libraries) < 3:
        problems.append(f"package-lock.json has {len(libraries)} libraries only")


def check_tests():
    names = re.findall(r"^Tests: (.*)$", (DEBIAN / "tests/control").read_text(encoding="utf-8"), flags=re.M)
    names = " ".join(names).split()
    for name in names:
        if not os.access(DEBIAN / "tests" / name, os.X_OK):
            problems.append(f"debian/tests/{name} cannot be run")
    if not names:
        problems.append("debian/tests/control names no test")


def main():
    if not shutil.which("dpkg-gensymbols"):
        print("dpkg-dev is not installed")
        return 77
    with tempfile.TemporaryDirectory() as directory:
        check_version()
        check_control(directory)
        check_symbols(directory)
    check_installed()
    check_found_in_tree()
    check_licences()
    check_tests()
    for line in problems:
        print(line)
    print(f"{len(packages())} packages: {len(problems)} problems")
    return 1 if problems else 0


sys.exit(main())
