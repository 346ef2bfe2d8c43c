"""Executes the code blocks of the guides, by the rules in README.md.

    runner.py ROOT [--test | GUIDE...]
    runner.py ROOT --installed GUIDE LANGUAGE COMMAND...

--installed is for the tests of packages: the guide's program in LANGUAGE (python, node, go) is written here as guide.py, guide.mjs or main.go, COMMAND runs it with the package that is installed, and what it prints is
compared with what the guide says.
"""

import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
LANGUAGES = {"python": "python", "py": "python", "js": "node", "javascript": "node", "go": "go"}
SUFFIXES = {"python": ".py", "node": ".mjs", "go": ".go"}
PLACE = "// What follows goes here."
LIMIT = 900  # seconds that a block may take, on a machine that others keep busy
ENDS = 60  # and a program to end after its last block: the runner's own test has one that does not


@dataclass
class Block:
    guide: str
    line: int
    language: str  # of the fence; of a program: python, node, go
    text: str
    marks: dict
    outputs: list = field(default_factory=list)  # blocks of kind text that follow its group
    problems: list = field(default_factory=list)
    runs: int = 0

    @property
    def name(self):
        return f"{self.guide}:{self.line} {self.language}"

    def only(self, language):
        return "only" not in self.marks or language in re.split(r"[\s,]+", self.marks["only"].replace("js", "node"))


MARKS = {"file", "only", "exit", "background", "skip"}


def read(path):
    """The blocks of a guide, those that stand together with the same `group`."""
    blocks, marks, group, adjacent = [], {}, [], False
    lines = path.read_text().splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if found := re.fullmatch(r"<!--\s*(\w+):?\s*(.*?)\s*-->", line.strip()):
            if found[1] in MARKS:
                marks[found[1]] = found[2]
        elif line.startswith("```"):
            language = (line[3:].split() or [""])[0]
            start, body = number, []
            while number < len(lines) and lines[number] != "```":
                body.append(lines[number])
                number += 1
            number += 1
            block = Block(path.stem, start, LANGUAGES.get(language, language), "".join(f"{one}\n" for one in body), dict(marks))
            if language == "text" and "file" not in marks and "skip" not in marks:
                if not group:
                    block.problems.append("is the output of no block")
                for before in group:
                    before.outputs.append(block)
                if "only" in marks:
                    block.marks["only"] = marks["only"]
            else:
                if adjacent and group and not marks and {block.language, group[0].language} <= SUFFIXES.keys() and block.language not in [before.language for before in group]:
                    block.marks = dict(group[0].marks)
                    group.append(block)
                else:
                    group = [block]
            blocks.append(block)
            marks = {}
            adjacent = language != "text"
        elif line.strip():
            marks, adjacent = {}, False
    for block in blocks:
        if "file" in block.marks and block.language != "sh":
            names = block.marks["file"].split()
            suffix = SUFFIXES.get(block.language)
            fitting = [name for name in names if not suffix or name.endswith(suffix)] if len(names) > 1 else names
            block.marks["file"] = fitting[0] if fitting else ""
            if not fitting:
                block.problems.append("has no name among those of its mark file")
        elif block.language not in {"python", "node", "go", "sh", "text"} and "skip" not in block.marks:
            block.problems.append("nothing runs it")
    return blocks


def matches(expected, printed):
    """Whether it is what the block says; `…` stands for any text, a line of it for any lines."""
    pattern = ""
    for line in expected.rstrip("\n").split("\n"):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*"
        else:
            pattern += ".*".join(re.escape(part) for part in line.rstrip().split("…")) + r"\s*?\n"
    return re.fullmatch(pattern, "".join(f"{line.rstrip()}\n" for line in printed.rstrip("\n").split("\n"))) is not None


# ---- programs that run in step ---------------------------------------------------------------------------------------------

STEP = "\x1e"

PYTHON = """import sys as _sys
def _step(number):
    print(f"\\x1e{number}", flush=True)
    _sys.stdin.readline()
"""
NODE = """import { writeSync as $write } from 'node:fs';
const $step = (number) => new Promise((go) => {
  $write(1, `\\x1e${number}\\n`);
  process.stdin.ref?.();
  process.stdin.resume();
  process.stdin.once('data', () => { process.stdin.pause(); process.stdin.unref?.(); go(); });
});
"""
GO = """package main

import (
	"bufio"
	"fmt"
	"os"
)

var stepLines = bufio.NewReader(os.Stdin)

func step(number int) {
	fmt.Printf("\\x1e%d\\n", number)
	stepLines.ReadString('\\n')
}
"""


def source(language, pieces):
    """One program that waits before each piece, and after the last."""
    if language == "python":
        # On the lines of the guide, so that tracebacks name them.
        return PYTHON + "".join(f"_step({index})\n{piece.text}" for index, piece in enumerate(pieces)) + f"_step({len(pieces)})\n"
    if language == "node":
        return NODE + "".join(f"await $step({index});\n{piece.text}" for index, piece in enumerate(pieces)) + f"await $step({len(pieces)});\n"
    first = pieces[0].text
    if PLACE not in first:
        raise ValueError(f"the first piece of a Go program has no line {PLACE!r}")
    rest = "".join(f"\tstep({index})\n//line {piece.guide}.md:{piece.line + 1}\n{piece.text}" for index, piece in enumerate(pieces) if index)
    return first.replace(PLACE, rest + f"\tstep({len(pieces)})\n", 1)


class Output:
    """What a process prints, read by a thread."""

    def __init__(self, process):
        self.lines = queue.Queue()
        self.text = ""
        threading.Thread(target=self.follow, args=(process.stdout,), daemon=True).start()

    def follow(self, stream):
        for line in stream:
            self.text += line
            self.lines.put(line)
        self.lines.put(None)

    def until(self, pattern, seconds=LIMIT):
        """(printed, found): what came before a line that the pattern is in, or before the end."""
        printed = ""
        while True:
            try:
                line = self.lines.get(timeout=seconds)
            except queue.Empty:
                return printed + f"(nothing more in {seconds} s)\n", False
            if line is None:
                return printed, False
            if found := re.search(pattern, line):
                return printed + line[:found.start()], True
            printed += line


class Program:
    """The pieces of one language of one guide."""

    def __init__(self, language, pieces, folder, environment):
        self.pieces, self.at, self.broken = pieces, -1, ""
        self.errors = tempfile.TemporaryFile("w+")
        self.process = None
        try:
            text = source(language, pieces)
        except ValueError as error:
            self.broken = str(error)
            return
        name = folder / ("guide" + SUFFIXES[language])
        if language == "go":
            (folder / "guide").mkdir()
            (folder / "guide" / "main.go").write_text(text)
            (folder / "guide" / "step.go").write_text(GO)
            built = subprocess.run(["go", "build", "-ldflags=-s -w", "-o", "guide/guide", "./guide"], cwd=folder, env=environment, capture_output=True, text=True, timeout=LIMIT)
            if built.returncode:
                self.broken = "does not compile\n" + built.stderr
                return
            command = ["guide/guide"]
        else:
            name.write_text(text)
            command = ["python", name.name] if language == "python" else ["node", name.name]
        self.process = subprocess.Popen(command, cwd=folder, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, start_new_session=True)
        self.output = Output(self.process)
        if language == "go":
            self.at = 0  # its first piece runs at once
        else:
            self.output.until(f"^{STEP}0$")
            self.go()

    def go(self):
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass

    def run(self, index):
        """(printed, problem) of a piece."""
        if self.broken:
            return "", self.broken
        if index > 0:
            self.go()
        printed, there = self.output.until(f"{STEP}{index + 1}$")
        if not there:
            self.end(kill=True)
            self.broken = "the program ended before this block"
            return printed, "the program ended\n" + self.said()
        return printed, ""

    def said(self):
        self.errors.seek(0)
        return self.errors.read()[-3000:]

    def end(self, kill=False):
        """A problem, if it does not end by itself."""
        if self.process is None or self.process.returncode is not None:
            return ""
        problem = ""
        if not kill and not self.broken:
            self.go()
        try:
            self.process.wait(1 if kill else ENDS)
        except subprocess.TimeoutExpired:
            problem = "the program does not end: something is left open\n"
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if not problem and self.process.returncode:
            problem = f"the program ends with {self.process.returncode}\n"
        return problem + self.said() if problem else ""


class Folder:
    """One language's folder of one guide."""

    def __init__(self, root, guide, blocks, language):
        self.root, self.blocks, self.language = root, blocks, language
        self.path = Path(tempfile.mkdtemp(prefix=f"{guide}-{language}-"))
        self.environment = {**os.environ, "HOME": str(self.path), "GOFLAGS": "-mod=mod", "TZ": "UTC",
                            "GOCACHE": os.environ.get("GOCACHE") or subprocess.run(["go", "env", "GOCACHE"], capture_output=True, text=True).stdout.strip(),
                            "GOMODCACHE": subprocess.run(["go", "env", "GOMODCACHE"], capture_output=True, text=True).stdout.strip()}
        for name in ("BRANT_KEYS", "NO_COLOR"):
            self.environment.pop(name, None)
        self.background = []

    def prepare(self):
        if self.language == "node":
            (self.path / "node_modules").symlink_to(self.root / "build/docs-guides-node/node_modules")
        if self.language == "go":
            module = self.root / "bindings" / "go"
            (self.path / "go.mod").write_text("module example\n\ngo 1.24\n\nrequire github.com/brant-db/brant-go v0.0.0\n\n" f"replace github.com/brant-db/brant-go => {module}\n")

    def shell(self, block):
        """(printed, problem)"""
        background = "background" in block.marks
        with tempfile.TemporaryFile("w+") as errors:
            process = subprocess.Popen(["bash", "-euo", "pipefail", "-c", block.text], cwd=self.path, env=self.environment, text=True, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT if background else errors, start_new_session=True)
            output = Output(process)
            if background:
                self.background.append(process)
                printed, there = output.until(block.marks["background"])
                return printed, "" if there else f"does not print {block.marks['background']!r}\n{printed}"
            timer = threading.Timer(LIMIT, lambda: os.killpg(process.pid, signal.SIGKILL))
            timer.start()
            code = process.wait()
            timer.cancel()
            printed, _ = output.until("(?!)")
            expected = int(block.marks.get("exit", 0))
            errors.seek(0)
            return printed, "" if code == expected else f"exit code {code}, not {expected}\n{printed}{errors.read()[-3000:]}"

    def run(self):
        self.prepare()
        pieces = [block for block in self.blocks if block.language == self.language and not {"file", "skip"} & block.marks.keys()]
        program = None
        try:
            for block in self.blocks:
                if block.problems and block.problems[0] in ("nothing runs it",) or "skip" in block.marks or not block.only(self.language):
                    continue
                if block.language in SUFFIXES and block.language != self.language:
                    continue
                if block.language == "text" and "file" not in block.marks:
                    continue
                block.runs += 1
                printed, problem = "", ""
                if "file" in block.marks:
                    target = self.path / block.marks["file"]
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_text(block.text)
                elif block.language == "sh":
                    printed, problem = self.shell(block)
                else:
                    if program is None:
                        program = Program(self.language, pieces, self.path, self.environment)
                    printed, problem = program.run(pieces.index(block))
                if problem:
                    block.problems.append(f"[{self.language}] {problem}")
                for expected in block.outputs:
                    if not expected.only(self.language):
                        continue
                    expected.runs += 1
                    if not problem and not matches(expected.text, printed):
                        expected.problems.append(f"[{self.language}] printed was\n{printed}")
                    elif problem:
                        expected.problems.append(f"[{self.language}] its block failed")
            if program and (problem := program.end()):
                pieces[-1].problems.append(f"[{self.language}] {problem}")
        except Exception as error:  # of the runner: a failure of the guide
            self.blocks[0].problems.append(f"[{self.language}] {type(error).__name__}: {error}")
        finally:
            if program:
                program.end(kill=True)
            for process in self.background:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)
                    try:
                        process.wait(60)
                    except subprocess.TimeoutExpired:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()
            shutil.rmtree(self.path, ignore_errors=True)


def execute(root, paths):
    """The blocks of guides, run."""
    guides = [(path, read(path)) for path in paths]
    work = []
    for path, blocks in guides:
        languages = [name for name in ("go", "python", "node") if any(block.language == name and "skip" not in block.marks for block in blocks)] or ["sh"]
        work += [Folder(root, path.stem, blocks, name) for name in languages]
    work.sort(key=lambda folder: folder.language != "go")  # Go's compiler takes longest
    with ThreadPoolExecutor(max_workers=3) as threads:
        list(threads.map(Folder.run, work))
    for _, blocks in guides:
        for block in blocks:
            if not block.runs and "skip" not in block.marks and not block.problems:
                block.problems.append("did not run")
    return [block for _, blocks in guides for block in blocks]


def own_test(root):
    """What is wrong is found, and only that: test/*.md say of each block which."""
    blocks = execute(root, sorted((HERE / "test").glob("*.md")))
    good = bad = 0
    for block in blocks:
        if "skip" in block.marks:
            continue
        wrong = "WRONG" in block.text
        if wrong == bool(block.problems):
            good += 1
        else:
            bad += 1
            print(f"FAIL the runner's own test, {block.name}: {'passed' if wrong else block.problems[0]}")
    if not blocks:
        bad += 1
    print(f"the runner's own test: {good} blocks judged as they are, {bad} not")
    return good, bad


def installed(guide, language, command):
    """As somebody has it who typed the guide's blocks into a file. The exit status."""
    blocks = read(HERE / f"{guide}.md")
    pieces = [block for block in blocks if block.language == language and not {"file", "skip"} & block.marks.keys()]
    text = "".join(piece.text for piece in pieces)
    if language == "go":
        text = pieces[0].text.replace(PLACE, "".join(piece.text for piece in pieces[1:]), 1)
    Path({"python": "guide.py", "node": "guide.mjs", "go": "main.go"}[language]).write_text(text)
    expected = "".join(output.text for piece in pieces for output in piece.outputs if output.only(language))
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    if done.returncode == 0 and matches(expected, done.stdout):
        return 0
    print(f"exit code {done.returncode}\n{done.stdout}{done.stderr}\n-- expected was\n{expected}")
    return 1


def main(root, arguments):
    if arguments[:1] == ["--installed"]:
        return installed(arguments[1], arguments[2], arguments[3:])
    passed = failed = 0
    if not arguments or arguments == ["--test"]:
        passed, failed = own_test(root)
    if arguments != ["--test"]:
        paths = [HERE / f"{name.removesuffix('.md')}.md" for name in arguments] or sorted(path for path in HERE.glob("*.md") if path.name != "README.md")
        counts, skips = Counter(), []
        for block in execute(root, paths):
            if "skip" in block.marks:
                skips.append(block)
            elif block.problems:
                failed += 1
                print(f"FAIL {block.name}: " + "\n    ".join("\n".join(block.problems).splitlines()))
            else:
                passed += 1
                counts[block.language if "file" not in block.marks else f"{block.language} (file)"] += 1
        for block in skips:
            print(f"skipped {block.name}: {block.marks['skip']}")
        print(f"{len(paths)} guides; " + ", ".join(f"{language} {count}" for language, count in sorted(counts.items())) + f"; {len(skips)} skipped")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2:]))
