"""A call as code: what a reader of the reference copies, in each language. docs/site/run.py runs exactly these texts."""

import json
import re
import shlex

LANGUAGES = ("python", "node", "go", "c", "sql", "command")
WIDTH = 96


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def literal(value, name_of, text_of, constants, indent=""):
    """A JSON value as a language's own literal, broken into lines where it is long."""
    if isinstance(value, str):
        return text_of(value)
    if not isinstance(value, (dict, list)) or not value:
        return constants.get(json.dumps(value), json.dumps(value))
    inner = indent + constants["indent"]
    if isinstance(value, list):
        parts, ends, space = [literal(item, name_of, text_of, constants, inner) for item in value], "[]", ""
    else:
        parts, ends, space = [f"{name_of(name)}: {literal(item, name_of, text_of, constants, inner)}" for name, item in value.items()], "{}", constants["space"]
    line = f"{ends[0]}{space}{', '.join(parts)}{space}{ends[1]}"
    if "\n" not in line and len(indent) + len(line) < WIDTH - 24:
        return line
    return f"{ends[0]}\n" + "".join(f"{inner}{part},\n" for part in parts) + f"{indent}{ends[1]}"


def python(example, functions):
    del functions
    text = lambda value: json.dumps(value, ensure_ascii=False)
    given = literal(example["input"], text, text, {"true": "True", "false": "False", "null": "None", "indent": "    ", "space": ""})
    return f'answer = db.call("{example["operation"]}"{", " + given if example["input"] else ""})'


def js_text(value):
    return "'" + json.dumps(value, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def node(example, functions):
    del functions
    given = literal(example["input"], lambda name: name if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) else js_text(name), js_text, {"indent": "  ", "space": " "})
    return f"const answer = db.call('{example['operation']}'{', ' + given if example['input'] else ''});"


def go(example, functions):
    del functions
    text = compact(example["input"])
    literal = f"`{text}`" if "`" not in text else json.dumps(text)
    return f'answer, err := db.CallJSON(ctx, "{example["operation"]}", []byte({literal}))'


def c_literal(text):
    """A C string of UTF-8; escapes that a following digit could join are octal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("??", "?\\?") + '"'


def c(example, functions):
    text = c_literal(compact(example["input"]))
    return f"status = {functions[example['operation']]}(&answer, &answer_len, db,\n    {text}, strlen({text}));" if len(text) < 40 else (
        f"const char *input = {text};\nstatus = {functions[example['operation']]}(&answer, &answer_len, db, input, strlen(input));")


def sql(example, functions):
    del functions
    text = compact(example["input"]).replace("'", "''")
    return f"SELECT brant('{example['operation']}', '{text}');" if example["input"] else f"SELECT brant('{example['operation']}');"


def command(example, functions):
    del functions
    keys = " --keys ring.json" if example["ring"] is not None else ""
    text = f" {shlex.quote(compact(example['input']))}" if example["input"] else ""
    return f"brant call {'hub' if example['kind'] == 'hub' else 'app.db'} {example['operation']}{text}{keys}"


def snippets(example, functions):
    """{language: code} of an example."""
    made = {"python": python, "node": node, "go": go, "c": c, "sql": sql, "command": command}
    return {name: made[name](example, functions) for name in LANGUAGES}
