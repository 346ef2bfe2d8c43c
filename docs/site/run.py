"""Runs every example of the reference in every language, on copies of the files that it was recorded with.

    docs/site/run.py FOLDER     as record.py made it; ends with "N passed, N failed"

The build of BRANT_BUILD (default build/release) has the library, the command and SQLite's extension; the bindings are those in the tree.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import signatures
import snippets

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = Path(os.environ.get("BRANT_BUILD", ROOT / "build" / "release"))
# What begins or ends transactions, restores, or runs SQL is the business of the extension's host.
OF_THE_HOST = {"sql.execute", "db.restore", "db.backup"}


def prepare(examples, folder, where):
    """A copy of its files for each example, and what a program needs to know of it."""
    entries = []
    for name, example in examples.items():
        target = where / name
        shutil.copytree(folder / name, target)
        entries.append({"operation": name, "hub": example["kind"] == "hub", "path": str(target / example["file"]), "ring": None if example["ring"] is None else ring_text(example["ring"])})
    return entries


def ring_text(ring):
    return ring if isinstance(ring, str) else json.dumps(ring)


def python_program(entries, codes):
    parts = []
    for entry in entries:
        opened = "brant.open_hub" if entry["hub"] else "brant.open"
        parts.append(f"with {opened}({entry['path']!r}) as opened:\n    db = opened.system if {entry['hub']} else opened\n"
                     + (f"    opened.keyring({entry['ring']!r})\n" if entry["ring"] is not None else "")
                     + f"    try:\n{textwrap.indent(codes[entry['operation']], ' ' * 8)}\n        tell({entry['operation']!r}, answer)\n    except Exception as fault:\n        tell({entry['operation']!r}, fault=str(fault))\n")
    return "import json, brant\n\n\ndef tell(name, answer=None, fault=None):\n    print(json.dumps([name, fault, answer], default=str))\n\n\n" + "".join(parts)


def node_program(entries, codes):
    package = (ROOT / "bindings/node/dist/index.mjs").as_uri()
    parts = []
    for entry in entries:
        opened = "new Hub" if entry["hub"] else "open"
        keys = f"  opened.keyring({json.dumps(entry['ring'])});\n" if entry["ring"] is not None else ""
        parts.append(f"try {{\n  const opened = {opened}({json.dumps(entry['path'])});\n  const db = {'opened.system' if entry['hub'] else 'opened'};\n{keys}"
                     f"  try {{\n{textwrap.indent(codes[entry['operation']], '    ')}\n    tell({json.dumps(entry['operation'])}, null, answer);\n  }} finally {{\n    opened.close();\n  }}\n}} catch (fault) {{\n  tell({json.dumps(entry['operation'])}, fault.message);\n}}\n")
    return (f"import {{ open, Hub }} from {json.dumps(package)};\nconst text = (value) => JSON.stringify(value, (name, item) => (typeof item === 'bigint' ? Number(item) : item));\n"
            "const tell = (name, fault, answer) => console.log(text([name, fault, answer ?? null]));\n" + "".join(parts))


def go_program(entries, codes):
    parts = []
    for entry in entries:
        name = json.dumps(entry["operation"])
        ring = json.dumps(entry["ring"]) if entry["ring"] is not None else '""'
        parts.append(f"\trun({name}, {json.dumps(entry['path'])}, {str(entry['hub']).lower()}, {ring}, func(ctx context.Context, db *brant.DB) ([]byte, error) {{\n"
                     f"{textwrap.indent(codes[entry['operation']], chr(9) * 2)}\n\t\treturn answer, err\n\t}})\n")
    return """package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/brant-db/brant-go"
)

func tell(name string, fault error, answer []byte) {
	var why any
	if fault != nil {
		why, answer = fault.Error(), []byte("null")
	}
	text, _ := json.Marshal([]any{name, why, json.RawMessage(answer)})
	fmt.Println(string(text))
}

func run(name, path string, isHub bool, ring string, call func(ctx context.Context, db *brant.DB) ([]byte, error)) {
	var db *brant.DB
	if isHub {
		hub, err := brant.OpenHub(path, nil)
		if err != nil {
			tell(name, err, nil)
			return
		}
		defer hub.Close()
		db = hub.System()
	} else {
		opened, err := brant.Open(path, nil)
		if err != nil {
			tell(name, err, nil)
			return
		}
		defer opened.Close()
		db = opened
	}
	if ring != "" {
		if _, err := db.KeyringJSON([]byte(ring)); err != nil {
			tell(name, err, nil)
			return
		}
	}
	answer, err := call(context.Background(), db)
	tell(name, err, answer)
}

func main() {
""" + "".join(parts) + "}\n"


def c_program(entries, codes):
    parts, calls = [], []
    for number, entry in enumerate(entries):
        parts.append(f"static brant_status call_{number}(brant_db *db, char **out, size_t *out_len) {{\n    char *answer = NULL;\n    size_t answer_len = 0;\n    brant_status status;\n"
                     f"{textwrap.indent(codes[entry['operation']], '    ')}\n    *out = answer;\n    *out_len = answer_len;\n    return status;\n}}\n\n")
        ring = snippets.c_literal(entry["ring"]) if entry["ring"] is not None else "NULL"
        calls.append(f"    run({snippets.c_literal(entry['operation'])}, {snippets.c_literal(entry['path'])}, {int(entry['hub'])}, {ring}, call_{number});\n")
    return """#include <brant.h>
#include <stdio.h>
#include <string.h>

typedef brant_status call(brant_db *db, char **out, size_t *out_len);

static void tell(const char *name, const char *fault, const char *answer) {
    printf("[\\"%s\\", ", name);
    if (fault) {
        putchar('"');
        for (; *fault; fault++) printf(*fault == '"' || *fault == '\\\\' ? "\\\\%c" : "%c", *fault);
        puts("\\", null]");
    } else {
        printf("null, %s]\\n", answer);
    }
}

static void run(const char *name, const char *path, int is_hub, const char *ring, call *make) {
    brant_hub *hub = NULL;
    brant_db *db = NULL;
    char *answer = NULL;
    size_t length = 0;
    brant_status status = is_hub ? brant_hub_open(&hub, path, strlen(path), "", 0) : brant_open(&db, path, strlen(path), "", 0);
    if (status == BRANT_OK && is_hub) db = brant_hub_system(hub);
    if (status == BRANT_OK && ring) status = is_hub ? brant_hub_keyring_load(hub, ring, strlen(ring)) : brant_keyring_load(db, ring, strlen(ring));
    if (status == BRANT_OK) status = make(db, &answer, &length);
    tell(name, status == BRANT_OK ? NULL : brant_last_error()->message, answer);
    brant_free(answer);
    if (!is_hub) brant_close(db);
    if (!is_hub) brant_db_free(db);
    brant_hub_free(hub);
}

""" + "".join(parts) + "int main(void) {\n" + "".join(calls) + "    return 0;\n}\n"


def lines_of(command, **options):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if result.returncode:
        raise RuntimeError(f"{command[0]} ended with {result.returncode}: {result.stderr.decode(errors='replace')[-2000:]}")
    return [json.loads(line) for line in result.stdout.decode().splitlines()]


def run_python(entries, codes, where):
    (where / "program.py").write_text(python_program(entries, codes))
    return lines_of([sys.executable, where / "program.py"], env={**os.environ, "PYTHONPATH": str(ROOT / "bindings/python")})


def run_node(entries, codes, where):
    (where / "program.mjs").write_text(node_program(entries, codes))
    return lines_of(["node", where / "program.mjs"])


def run_go(entries, codes, where):
    (where / "main.go").write_text(go_program(entries, codes))
    (where / "go.mod").write_text(f"module example\n\ngo 1.24\n\nrequire github.com/brant-db/brant-go v0.1.0\n\nreplace github.com/brant-db/brant-go => {ROOT / 'bindings/go'}\n")
    return lines_of(["go", "run", "-mod=mod", "."], cwd=where, env={**os.environ, "CGO_ENABLED": "1", "GOFLAGS": ""})


def run_c(entries, codes, where):
    (where / "program.c").write_text(c_program(entries, codes))
    subprocess.run(["cc", "-std=c11", "-Wall", "-Werror", "-O0", f"-I{ROOT / 'core/include'}", "-o", where / "program", where / "program.c", BUILD / "libbrant.a", "-lpthread", "-lm", "-ldl"], check=True)
    return lines_of([where / "program"])


def run_sql(entries, codes, where):
    del where
    answers = []
    for entry in entries:
        text = f".load {BUILD / 'extension' / 'brant'}\n{codes[entry['operation']]}\n"
        result = subprocess.run(["sqlite3", "-bail", entry["path"]], input=text.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if result.returncode:
            answers.append([entry["operation"], result.stderr.decode(errors="replace").strip(), None])
        else:
            answers.append([entry["operation"], None, json.loads(result.stdout.decode())])
    return answers


def run_command(entries, codes, where):
    (where / "bin").mkdir()
    (where / "bin" / "brant").symlink_to(BUILD / "bin" / "brant")
    answers = []
    for entry in entries:
        folder = Path(entry["path"]).parent
        name = folder / ("hub" if entry["hub"] else "app.db")
        if Path(entry["path"]) != name:
            for part in folder.glob(Path(entry["path"]).name + "*"):
                part.rename(folder / part.name.replace(Path(entry["path"]).name, name.name, 1))
        if entry["ring"] is not None:
            (folder / "ring.json").write_text(entry["ring"])
            (folder / "ring.json").chmod(0o600)
        result = subprocess.run(["sh", "-c", codes[entry["operation"]]], cwd=folder, env={**os.environ, "PATH": f"{where / 'bin'}:{os.environ['PATH']}"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        fault = result.stderr.decode(errors="replace").strip() or f"exit code {result.returncode}"
        answers.append([entry["operation"], fault, None] if result.returncode else [entry["operation"], None, json.loads(result.stdout.decode())])
    return answers


RUNNERS = {"python": run_python, "node": run_node, "go": run_go, "c": run_c, "sql": run_sql, "command": run_command}


def by_sql(example):
    """Is the operation one for the extension? It has no keys and no hubs, and where its SQLite is an old one no text indexes."""
    if example["operation"] == "indexes.create" and example["input"].get("kind") == "text":
        return False
    return example["ring"] is None and example["kind"] != "hub" and example["operation"] not in OF_THE_HOST


def shape(value):
    return sorted(value) if isinstance(value, dict) else type(value).__name__


def main(folder):
    examples = {name: example for name, example in json.loads((folder / "examples.json").read_text()).items() if example["runs"]}
    functions = signatures.c_functions()
    codes = {name: snippets.snippets(example, functions) for name, example in examples.items()}
    passed = failed = 0
    for language, runner in RUNNERS.items():
        chosen = {name: example for name, example in examples.items() if language != "sql" or by_sql(example)}
        with tempfile.TemporaryDirectory(prefix="brant-docs-") as where:
            entries = prepare(chosen, folder, Path(where))
            answers = {name: (fault, answer) for name, fault, answer in runner(entries, {name: codes[name][language] for name in chosen}, Path(where))}
        good = 0
        for name, example in chosen.items():
            fault, answer = answers.get(name, ("nothing was said", None))
            if fault is None and shape(answer) != shape(example["answer"]):
                fault = f"answered {shape(answer)}, not {shape(example['answer'])}"
            if fault is None:
                good += 1
            else:
                print(f"FAILED {language} {name}: {fault[:300]}")
        print(f"{language}: {good} of {len(chosen)} examples run")
        passed, failed = passed + good, failed + len(chosen) - good
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
