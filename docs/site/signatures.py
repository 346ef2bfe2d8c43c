"""How each language says each operation: the public methods that reach it, with their signatures and comments, found in the sources.

A method reaches the operations that its body names; where it names none, those of the private functions that it calls.
"""

import ast
import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
REACHES = 4  # operations of one method; what reaches more only passes them on


def c_functions(root=ROOT):
    """Registry name -> public C function."""
    table = re.sub(r"\s*\\\n\s*", " ", (root / "core/src/operation/table.h").read_text())
    functions = {name: function for function, name in re.findall(r'X\((brant_\w+), (?:brant__\w+, )?"([\w.]+)"', table)}
    return {**functions, "operations.list": "brant_operation_list"}


def c_contracts(root=ROOT):
    """C function -> (header, comment, prototype). A comment above several functions is theirs all."""
    found = {}
    for path in sorted((root / "core/include/brant").glob("*.h")):
        comment = ""
        for part in re.split(r"(/\*.*?\*/)", path.read_text(), flags=re.S):
            if part.startswith("/*"):
                text = re.sub(r"^/\*+|\*+/$", "", part)
                comment = "\n".join(re.sub(r"^ ?\* ?", "", line) for line in text.strip().splitlines()).strip()
                continue
            for prototype in re.findall(r"BRANT_API\s[^;]+;", part):
                name = re.search(r"(brant_\w+)\(", prototype)
                if name:
                    found[name[1]] = (path.name, comment, re.sub(r"\s+", " ", prototype.replace("BRANT_API ", "")))
    return found


def python_units(root):
    units = []
    for path in sorted((root / "bindings/python/brant").glob("*.py")):
        tree = ast.parse(path.read_text())

        def visit(node, owner, path=path):
            for child in node.body:
                if isinstance(child, ast.ClassDef):
                    visit(child, child.name)
                elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    names = {n.attr for n in ast.walk(child) if isinstance(n, ast.Attribute)} | {n.id for n in ast.walk(child) if isinstance(n, ast.Name)}
                    texts = {n.value for n in ast.walk(child) if isinstance(n, ast.Constant) and isinstance(n.value, str) and re.fullmatch(r"[a-z_]+\.[a-z_]+", n.value)}
                    hidden = child.name.startswith("_") and not child.name.startswith("__") or owner.startswith("_") or (not owner and path.name.startswith("_"))
                    bare = ast.FunctionDef(name=child.name, args=child.args, body=[ast.Pass()], decorator_list=[], returns=child.returns, type_params=[])
                    text = ast.unparse(ast.fix_missing_locations(bare)).removesuffix("\n    pass").removesuffix(":")
                    prefix = "async " if isinstance(child, ast.AsyncFunctionDef) else ""
                    units.append({"name": f"{owner}.{child.name}" if owner else child.name, "public": not hidden, "signature": prefix + text, "doc": ast.get_docstring(child) or "",
                                  "references": sorted(names), "natives": sorted({n for n in names if n.startswith("brant_")} | texts)})

        visit(tree, "")
    return units


def reached(units, functions):
    """Registry name -> the public methods that reach it, those that reach fewest first."""
    by_function = {function: name for name, function in functions.items()}
    known = set(functions)
    own = [{by_function.get(native, native) for native in unit["natives"]} & known for unit in units]
    total = [set(names) for names in own]
    hidden = {}
    for index, unit in enumerate(units):
        if not unit["public"]:
            hidden.setdefault(unit["name"].split(".")[-1], []).append(index)
    for _ in range(3):
        for index, unit in enumerate(units):
            for reference in () if own[index] else unit["references"]:
                for other in hidden.get(reference, ()):
                    if other != index and len(total[other]) <= REACHES:
                        total[index] |= total[other]
    result = {}
    for index, unit in enumerate(units):
        if not unit["public"] or not 0 < len(total[index]) <= REACHES:
            continue
        for name in total[index]:
            result.setdefault(name, []).append((name not in own[index], len(total[index]), unit["name"], unit))
    return {name: [entry[-1] for entry in sorted(entries, key=lambda entry: entry[:3])] for name, entries in result.items()}


def collect(root=ROOT):
    """{"c": {..}, "python": {registry name: [{"name", "signature", "doc"}]}, "node": .., "go": ..}"""
    functions = c_functions(root)
    contracts = c_contracts(root)

    def run(*command):
        return json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)

    languages = {"python": python_units(root), "node": run("node", "docs/site/signatures.mjs", "bindings/node"), "go": run("go", "run", "docs/site/signatures_go/main.go", "bindings/go")}
    answer = {name: reached(units, functions) for name, units in languages.items()}
    answer["c"] = {name: {"function": function, "header": contracts[function][0], "doc": contracts[function][1], "signature": contracts[function][2]} for name, function in functions.items()}
    return answer


if __name__ == "__main__":
    found = collect()
    for language in ("python", "node", "go"):
        missing = sorted(set(found["c"]) - set(found[language]))
        print(f"{language}: {len(found[language])} of {len(found['c'])}; without: {missing}")
