#!/usr/bin/env python3
"""Runs conformance scenarios through the agents of each language. README.md beside this file is the format."""

import argparse
import base64
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SCHEMA_VERSION = (1, 0)
LANGUAGES = ("c", "python", "node", "go")
REPLY_SECONDS = 60
# What opens a cursor, which the scenario names.
SUBSCRIPTIONS = {
    spec["name"]
    for path in (ROOT / "core" / "operations").glob("*.json")
    for spec in json.loads(path.read_text())["operations"]
    if spec["type"] == "subscription"
}


class Refused(Exception):
    """The scenario itself is wrong: an unknown member, matcher, operation, version."""


class Mismatch(Exception):
    """An answer is not the expected one."""


class Broken(Exception):
    """The scenario could not be begun: neither a pass nor the failure that a meta file wants."""


# ---- matching --------------------------------------------------------------------------------------------------------

JSON_TYPES = {
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "null": lambda v: v is None,
}
MISSING = object()


def look_up(saved, path):
    name, *rest = path.split(".")
    if name not in saved:
        raise Refused(f"$$ref to {name!r}, which was not saved")
    value = saved[name]
    for part in rest:
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (KeyError, IndexError, ValueError, TypeError):
            raise Mismatch(f"$$ref {path!r}: nothing at {part!r}") from None
    return value


def match_number(actual, check, where, what):
    if not JSON_TYPES["number"](actual) or not check(actual):
        raise Mismatch(f"{where}: {actual!r} is not {what}")


def match_operator(operator, wanted, actual, saved, where):
    if operator == "$$exists":
        if (actual is not MISSING) != wanted:
            raise Mismatch(f"{where}: {'missing' if wanted else 'is there'}")
        return
    if actual is MISSING:
        raise Mismatch(f"{where}: missing")
    if operator == "$$type":
        if wanted not in JSON_TYPES:
            raise Refused(f"unknown type {wanted!r}")
        if not JSON_TYPES[wanted](actual):
            raise Mismatch(f"{where}: {actual!r} is no {wanted}")
    elif operator == "$$ref":
        match(look_up(saved, wanted), actual, saved, where)
    elif operator == "$$unordered":
        if not isinstance(actual, list) or len(actual) != len(wanted):
            raise Mismatch(f"{where}: wanted {len(wanted)} items in any order, got {actual!r}")
        left = list(actual)
        for item in wanted:
            for candidate in left:
                try:
                    match(item, candidate, saved, where)
                except Mismatch:
                    continue
                left.remove(candidate)
                break
            else:
                raise Mismatch(f"{where}: nothing matches {item!r} in {left!r}")
    elif operator == "$$lte":
        match_number(actual, lambda v: v <= wanted, where, f"<= {wanted}")
    elif operator == "$$gte":
        match_number(actual, lambda v: v >= wanted, where, f">= {wanted}")
    elif operator == "$$hex":
        if not isinstance(actual, str) or actual.encode().hex() != wanted.lower():
            raise Mismatch(f"{where}: {actual!r} is not the text {wanted}")
    elif operator == "$$contains":
        if not isinstance(actual, str) or wanted not in actual:
            raise Mismatch(f"{where}: {actual!r} does not contain {wanted!r}")
    else:
        raise Refused(f"unknown matcher {operator!r}")


def match(wanted, actual, saved, where="answer"):
    """Objects by subset, arrays exactly, numbers by value, operators as README.md says."""
    if isinstance(wanted, dict) and any(name.startswith("$$") for name in wanted):
        for operator, operand in wanted.items():
            match_operator(operator, operand, actual, saved, where)
    elif actual is MISSING:
        raise Mismatch(f"{where}: missing")
    elif isinstance(wanted, dict):
        if not isinstance(actual, dict):
            raise Mismatch(f"{where}: {actual!r} is no object")
        for name, value in wanted.items():
            match(value, actual.get(name, MISSING), saved, f"{where}.{name}")
    elif isinstance(wanted, list):
        if not isinstance(actual, list) or len(actual) != len(wanted):
            raise Mismatch(f"{where}: wanted {wanted!r}, got {actual!r}")
        for index, value in enumerate(wanted):
            match(value, actual[index], saved, f"{where}[{index}]")
    elif isinstance(wanted, bool) or isinstance(actual, bool) or not isinstance(wanted, (int, float)):
        if wanted != actual or type(wanted) is not type(actual):
            raise Mismatch(f"{where}: wanted {wanted!r}, got {actual!r}")
    elif not isinstance(actual, (int, float)) or wanted != actual:
        raise Mismatch(f"{where}: wanted {wanted!r}, got {actual!r}")


def fill(value, saved, folder):
    """Arguments with their $$ operators replaced."""
    if isinstance(value, list):
        return [fill(item, saved, folder) for item in value]
    if not isinstance(value, dict):
        return value
    operators = [name for name in value if name.startswith("$$")]
    if not operators:
        return {name: fill(item, saved, folder) for name, item in value.items()}
    if len(value) != 1:
        raise Refused(f"an operator stands alone: {value!r}")
    operator, operand = next(iter(value.items()))
    if operator == "$$ref":
        return look_up(saved, operand)
    if operator == "$$path":
        return str(folder / operand)
    if operator == "$$repeat":
        return operand[0] * operand[1]
    raise Refused(f"unknown operator {operator!r} in arguments")


# ---- agents -----------------------------------------------------------------------------------------------------------


class Agent:
    """One process of a language's agent."""

    def __init__(self, language, command, log):
        self.language = language
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, cwd=ROOT)
        self.replies = {}
        self.arrived = threading.Condition()
        self.last = 0
        self.ended = False
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            reply = json.loads(line)
            with self.arrived:
                self.replies[reply["id"]] = reply
                self.arrived.notify_all()
        with self.arrived:
            self.ended = True
            self.arrived.notify_all()

    def send(self, request):
        self.last += 1
        line = json.dumps({"id": self.last, **request}, ensure_ascii=True) + "\n"
        try:
            self.process.stdin.write(line.encode())
            self.process.stdin.flush()
        except BrokenPipeError:
            raise Mismatch(f"the {self.language} agent ended with {self.process.wait()}") from None
        return self.last

    def receive(self, identifier):
        end = time.monotonic() + REPLY_SECONDS
        with self.arrived:
            while identifier not in self.replies:
                if self.ended:
                    raise Mismatch(f"the {self.language} agent ended with {self.process.wait()}")
                if not self.arrived.wait(end - time.monotonic()):
                    raise Mismatch(f"no answer of the {self.language} agent in {REPLY_SECONDS} s")
            return self.replies.pop(identifier)

    def has(self, identifier, seconds):
        """Did the answer come, or the end?"""
        with self.arrived:
            return self.arrived.wait_for(lambda: identifier in self.replies or self.ended, seconds)

    def stop(self):
        self.process.stdin.close()
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise Mismatch(f"the {self.language} agent did not end with its input") from None


def agent_command(language):
    build = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "dev"))
    commands = {
        "c": [str(build / "bin" / "conformance_c")],
        "python": [os.environ.get("BRANT_PYTHON", sys.executable), str(HERE / "agents" / "python.py")],
        "node": ["node", str(HERE / "agents" / "node.mjs")],
        "go": [str(ROOT / "build" / "conformance_go")],
    }
    return commands[language]


# ---- scenarios ----------------------------------------------------------------------------------------------------------

ENTITY_MEMBERS = {"id", "type", "file", "language", "options", "open"}
OPERATION_MEMBERS = {"object", "name", "arguments", "expect", "expect_error", "save_as", "background"}
# What makes a handle, which the scenario names by `save_as`.
MAKE_HANDLES = {"hub.acquire", "hub.authenticate", "session"}


def check_members(value, known, what):
    unknown = set(value) - known
    if unknown:
        raise Refused(f"unknown member {sorted(unknown)} in {what}")


def check_scenario(scenario, mixed):
    check_members(scenario, {"schema_version", "description", "requires", "entities", "tests"}, "the scenario")
    major, minor = (int(part) for part in scenario["schema_version"].split("."))
    if major != SCHEMA_VERSION[0] or minor > SCHEMA_VERSION[1]:
        raise Refused(f"schema_version {scenario['schema_version']} is newer than {SCHEMA_VERSION[0]}.{SCHEMA_VERSION[1]}")
    for entity in scenario["entities"]:
        check_members(entity, ENTITY_MEMBERS, "an entity")
        if entity.get("type") not in ("db", "hub"):
            raise Refused(f"unknown entity type {entity.get('type')!r}")
        if ("language" in entity) != mixed:
            raise Refused("language belongs to the entities of mixed_*.json, to all of them")
        if entity.get("language", "c") not in LANGUAGES:
            raise Refused(f"unknown language {entity['language']!r}")
    if not scenario["tests"]:
        raise Refused("no tests")
    for test in scenario["tests"]:
        check_members(test, {"description", "operations"}, "a test")
        if not test["operations"]:
            raise Refused("a test without operations")
        for operation in test["operations"]:
            check_members(operation, OPERATION_MEMBERS, "an operation")
            if "expect" in operation and "expect_error" in operation:
                raise Refused("both expect and expect_error")


class Run:
    """One test of a scenario, on fresh entities."""

    def __init__(self, scenario, agents, language, folder):
        self.agents = agents
        self.language = language
        self.folder = folder
        self.saved = {}
        self.background = {}
        self.home = {}  # object -> agent
        self.paths = {}
        for entity in scenario["entities"]:
            self.home[entity["id"]] = agents(entity.get("language", language))
            self.paths[entity["id"]] = (entity["type"], entity.get("file", entity["id"]), entity.get("options", {}))
            if entity.get("open", True):
                try:
                    self.finish({}, self.open(entity["id"], {}))
                except Mismatch as fault:
                    raise Broken(f"opening {entity['id']}: {fault}") from None

    def open(self, identifier, arguments):
        kind, file, options = self.paths[identifier]
        name = "hub.open" if kind == "hub" else "open"
        beside = file if kind == "hub" else f"{file}.db"
        path = arguments.get("path", file if file == ":memory:" else str(self.folder / beside))
        options = arguments.get("options", options)
        agent = self.home[identifier]
        return agent, agent.send({"object": identifier, "name": name, "arguments": {"path": path, "options": options}})

    def finish(self, operation, pending):
        agent, identifier = pending
        reply = agent.receive(identifier)
        error = reply.get("error")
        if error is not None and error.get("code") == "UNKNOWN_OPERATION":
            raise Refused(f"unknown operation: {error.get('message')}")
        if "expect_error" in operation:
            if error is None:
                raise Mismatch(f"wanted the error {operation['expect_error']!r}, got {reply.get('result')!r}")
            match(operation["expect_error"], error, self.saved, "error")
        elif error is not None:
            raise Mismatch(f"error {error['code']}: {error.get('message')} {error.get('detail') or ''}")
        elif "expect" in operation:
            match(operation["expect"], reply.get("result"), self.saved)
        if "save_as" in operation:
            self.saved[operation["save_as"]] = error if error is not None else reply.get("result")

    def step(self, operation):
        name = operation["name"]
        arguments = fill(operation.get("arguments", {}), self.saved, self.folder)
        if name == "join":
            if arguments.get("background") not in self.background:
                raise Refused(f"join of unknown background {arguments.get('background')!r}")
            return self.finish(operation, self.background.pop(arguments["background"]))
        if name == "sleep":
            return time.sleep(arguments["ms"] / 1000)
        if name == "sqlite":
            # A program that is not ours, in a process that is not the agent's.
            with contextlib.closing(sqlite3.connect(self.folder / f"{arguments['file']}.db", timeout=10)) as connection:
                connection.executescript(arguments["sql"])
            return None
        if name in ("write_file", "make_folder"):
            target = self.folder / arguments["file"]
            if name == "make_folder":
                return target.mkdir()
            return target.write_bytes(base64.b64decode(arguments["base64"]))
        target = operation.get("object")
        if target not in self.home:
            raise Refused(f"unknown object {target!r}")
        if name == "open":
            return self.finish(operation, self.open(target, arguments))
        agent = self.home[target]
        if name == "interrupt" and "until" in arguments:
            # Again and again until the background operation has ended: it may not have begun to wait.
            _, identifier = self.background[arguments["until"]]
            while True:
                self.finish(operation, (agent, agent.send({"object": target, "name": name, "arguments": {}})))
                if agent.has(identifier, 0.05):
                    return None
        request = {"object": target, "name": name, "arguments": arguments}
        if name in SUBSCRIPTIONS or name in MAKE_HANDLES:
            request["as"] = operation.get("save_as", name if name in MAKE_HANDLES else "cursor")
            self.home[request["as"]] = agent
        if "background" in operation:
            request["background"] = True
            self.background[operation["background"]] = (agent, agent.send(request))
            return None
        return self.finish(operation, (agent, agent.send(request)))


def run_test(scenario, test, agents, language, folder, kind=Run):
    run = kind(scenario, agents, language, folder)
    for index, operation in enumerate(test["operations"]):
        try:
            run.step(operation)
        except Mismatch as fault:
            raise Mismatch(f"operation {index} ({operation['name']}): {fault}") from None
        except Refused as fault:
            raise Refused(f"operation {index} ({operation.get('name')}): {fault}") from None
    if run.background:
        raise Refused(f"never joined: {sorted(run.background)}")


def run_file(path, language, log, report):
    """Each test in processes and a folder of its own, so that one cannot help or hurt another."""
    try:
        scenario = json.loads(path.read_text())
        check_scenario(scenario, path.name.startswith("mixed_"))
        tests = scenario["tests"]
    except (Refused, KeyError, ValueError, TypeError) as fault:
        report(path, language, "(the file)", Refused(str(fault)))
        return
    processes = {}

    def agents(name):
        if name not in processes:
            processes[name] = Agent(name, agent_command(name), log)
        return processes[name]

    for test in tests:
        folder = Path(tempfile.mkdtemp(prefix="brant-conformance-"))
        fault = None
        try:
            run_test(scenario, test, agents, language, folder)
        except (Mismatch, Refused, Broken) as found:
            fault = found
        for name, agent in list(processes.items()):
            # One process serves the tests of a file one after the other: their handles are closed by name.
            try:
                agent.receive(agent.send({"name": "reset", "arguments": {}}))
            except Mismatch as found:
                fault = fault or found
                del processes[name]
        report(path, language, test["description"], fault)
        shutil.rmtree(folder, ignore_errors=True)
    for agent in processes.values():
        try:
            code = agent.stop()
            if code:
                report(path, language, f"the {agent.language} agent ends", Mismatch(f"exit code {code}"))
        except Mismatch as fault:
            report(path, language, f"the {agent.language} agent ends", fault)


def run_meta(log):
    """Files that must pass, must fail, must be refused: they test this driver, with the first language there is."""
    wanted = {"pass": type(None), "fail": Mismatch, "refuse": Refused}
    results = []
    for kind, fault_type in wanted.items():
        for path in sorted((HERE / "meta" / kind).glob("*.json")):
            faults = []
            run_file(path, "c", log, lambda p, l, d, fault: faults.append(fault))
            good = all(isinstance(fault, fault_type) for fault in faults) and bool(faults)
            results.append((f"meta/{kind}/{path.name}", None if good else f"wanted to {kind}: {[str(f) for f in faults]}"))
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--language", action="append", choices=[*LANGUAGES, "mixed", "meta"], help="default: all")
    parser.add_argument("--filter", default="", help="only files whose name contains this")
    parser.add_argument("--verbose", action="store_true", help="name each test that passes")
    arguments = parser.parse_args()
    passed = failed = 0
    log = open(os.environ.get("BRANT_CONFORMANCE_LOG", os.devnull), "ab")

    def report(path, language, description, fault):
        nonlocal passed, failed
        if fault is None:
            passed += 1
            if arguments.verbose:
                print(f"ok   {language:6} {path.stem}: {description}", flush=True)
        else:
            failed += 1
            print(f"FAIL {language:6} {path.stem}: {description}\n       {type(fault).__name__}: {fault}", flush=True)

    languages = arguments.language or ["meta", *LANGUAGES, "mixed"]
    files = [path for path in sorted((HERE / "scenarios").glob("*.json")) if arguments.filter in path.name]
    for language in languages:
        before, start = passed, time.monotonic()
        if language == "meta":
            for name, fault in run_meta(log):
                report(Path(name), "meta", "as it must", Mismatch(fault) if fault else None)
        else:
            for path in files:
                if path.name.startswith("mixed_") == (language == "mixed"):
                    run_file(path, language, log, report)
        print(f"{language}: {passed - before} passed in {time.monotonic() - start:.1f} s", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
