"""Examples for the reference: of each operation a call that the conformance suite makes, with what was there before it and what it answered.

The best call is found by running all scenarios once; then each is run up to it, the files are copied, and it is made. docs/site/run.py makes it again on copies, by
the code that the page shows.
"""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "conformance"))

import driver  # noqa: E402

CANDIDATES = 6
# Of a handle, not of a file; a session's; what ends or begins something around the call.
AROUND = {"transaction.begin", "transaction.commit", "transaction.rollback"}


class Recorded(driver.Run):
    """A run of a test that tells of each call before it is made."""

    def __init__(self, *arguments, before=None, after=None):
        self.before, self.after = before, after
        self.rings, self.open_transactions, self.index = {}, set(), -1
        super().__init__(*arguments)

    def finish(self, operation, pending):
        agent, identifier = pending
        reply = agent.receive(identifier)
        agent.replies[identifier] = reply  # put back for the driver's own look
        super().finish(operation, pending)
        if self.after and operation and "error" not in reply:
            self.after(self.index, operation, reply.get("result"))

    def step(self, operation):
        self.index += 1
        name, target = operation["name"], operation.get("object")
        if name == "keyring":
            self.rings[target] = driver.fill(operation.get("arguments", {}), self.saved, self.folder).get("ring")
        if self.before and target in self.paths and "background" not in operation:
            if self.before(self, operation, driver.fill(operation.get("arguments", {}), self.saved, self.folder)) is False:
                return False
        if name == "transaction.begin":
            self.open_transactions.add(target)
        elif name in ("transaction.commit", "transaction.rollback"):
            self.open_transactions.discard(target)
        return super().step(operation)


@contextlib.contextmanager
def agents_of(log):
    running = {}

    def agents(name):
        if name not in running:
            running[name] = driver.Agent(name, driver.agent_command(name), log)
        return running[name]

    try:
        yield agents
    finally:
        for agent in running.values():
            agent.stop()


def each_test():
    for path in sorted(driver.HERE.glob("scenarios/*.json")):
        if path.name.startswith(("mixed_", "bad_input")):
            continue
        scenario = json.loads(path.read_text())
        for number, test in enumerate(scenario["tests"]):
            yield path.stem, scenario, number, test


def is_soon_over(operations):
    """Does something that was taken end by itself within minutes, so that the files are worth nothing afterwards?"""
    times = [value for operation in operations for name, value in operation.get("arguments", {}).items() if name in ("ttl", "lease") and isinstance(value, int)]
    taken = any(operation["name"] in ("locks.acquire", "queues.claim", "consumers.claim") for operation in operations)
    return taken and (not times or min(times) < 600_000)


def worth(setup, given, answer):
    """Less is better: few steps before it, short, and an answer that shows something."""
    size = len(json.dumps(given)) + len(json.dumps(answer))
    empty = answer in (None, {}, [], {"items": [], "cursor": None}) or answer == {"items": []}
    return (setup * 15 if setup <= 12 else 180 + setup * 40) + size + (400 if empty else 0) + (2000 if size > 4000 else 0) - 60 * min(len(given), 5)


def candidates(specs, agents):
    """Registry name -> [(worth, scenario, test number, step)], best first."""
    found = {}
    for stem, scenario, number, test in each_test():
        folder = Path(tempfile.mkdtemp(prefix="brant-docs-"))
        notes = []

        def before(run, operation, given, notes=notes):
            if operation["name"] in specs and "expect_error" not in operation and run.paths[operation["object"]][1] != ":memory:" and (operation["object"] not in run.open_transactions or operation["name"] in AROUND):
                notes.append((run.index, operation["name"], given))

        answers = {}
        run = None
        try:
            run = Recorded(scenario, agents, "c", folder, before=before, after=lambda index, operation, answer, answers=answers: answers.__setitem__(index, answer))
            for operation in test["operations"]:
                run.step(operation)
        except (driver.Mismatch, driver.Refused, driver.Broken):
            pass
        finally:
            agents("c").receive(agents("c").send({"name": "reset", "arguments": {}}))
            shutil.rmtree(folder, ignore_errors=True)
        for index, name, given in notes:
            if index in answers:
                local = 5000 if str(folder) in json.dumps([given, answers[index]]) else 0
                local += 3000 if is_soon_over(test["operations"][:index]) else 0
                found.setdefault(name, []).append((local + worth(index, given, answers[index]), stem, number, index))
    return {name: sorted(entries)[:CANDIDATES] for name, entries in found.items()}


class Reached(Exception):
    """The step is reached, and recorded."""


def record(entry, into, agents):
    """One candidate: its files in `into`, and what the page shows of it."""
    _, stem, number, index = entry
    scenario = json.loads((driver.HERE / "scenarios" / f"{stem}.json").read_text())
    folder = Path(tempfile.mkdtemp(prefix="brant-docs-"))
    example = {}

    def before(run, operation, given):
        if run.index != index:
            return
        kind, file, options = run.paths[operation["object"]]
        shutil.copytree(folder, into, ignore=shutil.ignore_patterns("*-shm", "*.wake"))
        example.update(operation=operation["name"], scenario=stem, test=scenario["tests"][number]["description"], input=given, kind=kind, file=file if kind == "hub" else f"{file}.db", options=options,
                       ring=run.rings.get(operation["object"]))

    def after(step, operation, answer):
        if step == index:
            example["answer"] = answer
            raise Reached

    try:
        run = Recorded(scenario, agents, "c", folder, before=before, after=after)
        for operation in scenario["tests"][number]["operations"]:
            run.step(operation)
    except Reached:
        # Paths of this machine say nothing, and are not there when it is made again.
        return json.loads(json.dumps(example).replace(str(folder), "/srv/app"))
    finally:
        agents("c").receive(agents("c").send({"name": "reset", "arguments": {}}))
        shutil.rmtree(folder, ignore_errors=True)
    raise RuntimeError(f"{stem}: step {index} of test {number} was not reached")


def python_call(example, files):
    """By Python, on a copy: the answer. Raises what brant raises."""
    import brant

    with tempfile.TemporaryDirectory(prefix="brant-docs-") as folder:
        target = Path(folder) / "f"
        shutil.copytree(files, target)
        path = target / example["file"]
        with (brant.open_hub(path) if example["kind"] == "hub" else brant.open(path)) as opened:
            db = opened.system if example["kind"] == "hub" else opened
            if example["ring"] is not None:
                (opened if example["kind"] == "hub" else db).keyring(example["ring"])
            return db.call(example["operation"], example["input"])


def record_all(specs, folder):
    """Every operation's example. Its files are in folder/<operation>; "runs": it can be made again as it stands."""
    folder.mkdir(parents=True, exist_ok=True)
    examples = {}
    with open(folder / "agent.log", "wb") as log, agents_of(log) as agents:
        found = candidates(specs, agents)
        for name in sorted(specs):
            for entry in found.get(name, []):
                files = folder / name
                shutil.rmtree(files, ignore_errors=True)
                example = record(entry, files, agents)
                example["runs"] = False
                if specs[name]["type"] != "subscription" and name not in AROUND and "/srv/app" not in json.dumps(example["input"]):
                    try:
                        python_call(example, files)
                        example["runs"] = True
                    except Exception as fault:  # noqa: BLE001: any fault of this one is a reason to take the next
                        example["fault"] = f"{type(fault).__name__}: {fault}"[:200]
                if name not in examples or example["runs"]:
                    examples[name] = example
                if example["runs"] or specs[name]["type"] == "subscription" or name in AROUND:
                    break
    (folder / "examples.json").write_text(json.dumps(examples, indent=1, ensure_ascii=False))
    return examples


def specs_of(root=ROOT):
    return {spec["name"]: spec for path in sorted((root / "core/operations").glob("*.json")) for spec in json.loads(path.read_text())["operations"]}


if __name__ == "__main__":
    into = Path(sys.argv[1])
    shutil.rmtree(into, ignore_errors=True)
    made = record_all(specs_of(), into)
    print(f"{len(made)} examples, {sum(example['runs'] for example in made.values())} run;", "not:", sorted((name, example.get("fault", "")) for name, example in made.items() if not example["runs"]))
    print("without:", sorted(set(specs_of()) - set(made)))
