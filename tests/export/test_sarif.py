# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""SARIF 2.1.0: ajv with the schema that Microsoft's tool ships, that tool itself, and the report."""
import json
import os
import re
import stat
import tempfile

from common import (PROGRAMS, READERS, bug, check, export, names, real_program, record, report, run,
                    validate)

RESULTS = 100
MULTITOOL = os.path.join(READERS, "node_modules/@microsoft/sarif-multitool-linux")


def functions(stack):
    return [frame["location"]["logicalLocations"][0]["fullyQualifiedName"]
            for frame in stack["frames"]]


def by_multitool(path):
    """It ends with 0 whatever it finds, so what it says is read. It takes a minute for what ajv does in a second,
    so of many results it gets some; they are alike."""
    with open(path, encoding="utf-8") as file:
        log = json.load(file)
    if len(log["runs"][0]["results"]) > RESULTS:
        del log["runs"][0]["results"][RESULTS:]
        path += ".some"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(log, file)
    tool = os.path.join(MULTITOOL, "Sarif.Multitool")
    os.chmod(tool, os.stat(tool).st_mode | stat.S_IXUSR)
    out = path + ".validated"
    env = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = run(tool, "validate", path, "--output", out, "--log", "ForceOverwrite",
               "--max-file-size-in-kb", "1000000", env=env)
    with open(out, encoding="utf-8-sig") as file:
        found = [result for result in json.load(file)["runs"][0].get("results", [])
                 if result.get("level", "warning") == "error"]
    check(not found, "multitool finds errors", json.dumps(found[:2], indent=1), done.stdout)


def compare(store, *options):
    """Of one process or several; what it says of the results and of the processes."""
    path = store + ".sarif"
    export("sarif", store, *options, "-o", path)
    validate(os.path.join(MULTITOOL, "sarif-2.1.0.json"), path)
    by_multitool(path)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    # Neither reader minds a blank in a URI.
    for uri in set(re.findall(r'"uri": "(.*?)"[,}]', text)):
        check(re.fullmatch(r"(file:///)?(?:[\w.~+/-]|%[0-9A-F]{2})+", uri, flags=re.A), f"URI {uri}")
    run_, = json.loads(text)["runs"]
    results = run_["results"]
    wanted = [(error["kind"], [names(error[key]) for key in ("stack", "allocated", "freed_at")
                               if error[key]]) for error in report("errors", store, *options)["errors"]]
    wanted += [("leak", [names(stack["stack"])]) for stack in report("leaks", store, *options)["stacks"]]
    found = [(result["ruleId"], [functions(stack) for stack in result["stacks"]])
             for result in results]
    check(found == wanted, f"results of {store}", found[:2], wanted[:2])
    return results, run_["invocations"]


def invocations(directory):
    """How a process ended, and which one an error is of."""
    for name, end in (("leak", {"executionSuccessful": True, "exitCode": 7}),
                      ("aborts", {"executionSuccessful": False, "exitSignalNumber": 6,
                                  "exitSignalName": "Aborted"})):
        one, = compare(record(directory, name, bug(name)))[1]
        check({key: one.get(key) for key in end} == end and not {"exitCode", "exitSignalNumber"} &
              set(one) - set(end), name, one)
        check(re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", one["startTimeUtc"]), "time", one)
        if "exitCode" in end:
            check(one["startTimeUtc"] <= one["endTimeUtc"], "times", one)
        check(one["arguments"] == bug(name), "arguments", one)
    family = os.path.join(PROGRAMS, "report", "report-family")
    results, several = compare(record(directory, "family", [family, "1000"]))
    error, = [result for result in results if result["ruleId"] == "double-free"]
    # Whichever of the three was the first to do it.
    check(len(several) == 3 and error["provenance"]["invocationIndex"] in range(3), "processes", several)
    check("seen 3 times." in error["message"]["text"], "message", error["message"])
    leak, = [result for result in results if "keep" in functions(result["stacks"][0])]
    check(leak["message"]["text"] == "6,000 bytes in 3 objects not freed.", "message", leak)


def provenance(directory):
    """Of processes one after the other, of which one has errors."""
    faulty = bug("five-bugs")[0]
    results, several = compare(record(directory, "order", ["sh", "-c", f"/bin/true; {faulty}; /bin/true"]))
    wanted, = [number for number, one in enumerate(several) if one["arguments"] == [faulty]]
    errors = [result for result in results if result["ruleId"] != "leak"]
    check(errors and 0 < wanted < len(several) - 1, "the process between others", several)
    check({result["provenance"]["invocationIndex"] for result in errors} == {wanted}, "whose errors they are",
          wanted, errors)


def main():
    with tempfile.TemporaryDirectory() as directory:
        invocations(directory)
        provenance(directory)
        first = compare(record(directory, "five-bugs", bug("five-bugs")))[0]
        again = compare(record(directory, "again", bug("five-bugs")))[0]
        prints = [[result["partialFingerprints"]["functions/v1"] for result in results]
                  for results in (first, again)]
        check(prints[0] == prints[1] and len(set(prints[0])) == len(first), "fingerprints", prints)
        double = next(result for result in first if result["ruleId"] == "double-free")
        place = double["locations"][0]["physicalLocation"]
        check(place["artifactLocation"]["uri"].endswith("tests/bugs/five-bugs.c") and
              place["region"]["startLine"] == 36, "place", place)
        check(len(double["relatedLocations"]) == 2, "related", double["relatedLocations"])
        threads = {frame.get("threadId") for stack in double["stacks"] for frame in stack["frames"]}
        check(len(threads) == 2 and None not in threads, "threads", threads)
        compare(real_program(directory))


main()
