"""The pages: guides from Markdown, the reference from the registry, the headers, the sources of each language and the recorded examples.

    docs/site/pages.py EXAMPLES OUT     EXAMPLES: what record.py made; OUT: a folder of static pages, readable without scripts
"""

import html
import json
import re
import shutil
import sys
import textwrap
from pathlib import Path

from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

import record
import signatures
import snippets

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
NAMES = {"python": "Python", "node": "Node.js", "go": "Go", "c": "C", "sql": "SQL", "command": "Command"}
LEXERS = {"python": "python", "node": "typescript", "js": "javascript", "ts": "typescript", "go": "go", "c": "c", "sql": "sql", "command": "bash", "sh": "bash", "json": "json", "text": "text"}
SHOWN = 3  # methods of a language that are shown; others only reach the operation on the way
# The order of the guides, which the file names do not say.
GUIDES = ["first-graph", "command-line", "jobs", "events", "orms", "secrets", "tenants-and-access", "agents", "operations", "upgrading"]
# What each part promises, beside the guides.
ABOUT = ["graphs", "events", "secrets", "access", "figures"]
AREAS = [
    ("Graphs", ["graphs", "nodes", "edges", "graph_types", "modules", "indexes"]),
    ("Events and jobs", ["events", "streams", "consumers", "queues", "jobs", "schedules", "locks", "rate_limits"]),
    ("Secrets", ["secrets", "keyring", "envelopes"]),
    ("Identity and access", ["accounts", "organizations", "members", "invitations", "api_keys", "auth", "identity", "access", "audit", "tenants"]),
    ("The file", ["db", "sql", "transaction", "calls", "operations"]),
]


def code(text, language):
    try:
        lexer = get_lexer_by_name(LEXERS.get(language, language or "text"))
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    return highlight(text.rstrip("\n") + "\n", lexer, HtmlFormatter(cssclass=f"code language-{language}", wrapcode=True))


def slug(text):
    return re.sub(r"[^a-z0-9_.]+", "-", text.lower()).strip("-")


def escape(text):
    return html.escape(str(text), quote=True)


# ---- Markdown ----------------------------------------------------------------------------------------------------------


def tabbed(blocks):
    """[(language, html)] side by side: tabs by radio buttons, which need no script."""
    tabbed.count += 1
    group = f"tabs-{tabbed.count}"
    parts = []
    for index, (language, body) in enumerate(blocks):
        identifier = f"{group}-{language}"
        parts.append(f'<input type="radio" name="{group}" id="{identifier}" data-language="{language}"{" checked" if index == 0 else ""}><label for="{identifier}">{NAMES.get(language, language)}</label>')
    panels = "".join(f'<div class="panel" data-language="{language}">{body}</div>' for language, body in blocks)
    return f'<div class="tabs" role="group" aria-label="Language">{"".join(parts)}<div class="panels">{panels}</div></div>'


tabbed.count = 0
FENCE_LANGUAGE = {"python": "python", "js": "node", "javascript": "node", "mjs": "node", "go": "go", "c": "c", "sql": "sql"}


def markdown(text):
    """(title, html, headings). Fenced blocks of several languages that follow one another become tabs."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(text)
    headings, title = [], ""
    out, index = [], 0
    renderer = parser.renderer
    while index < len(tokens):
        token = tokens[index]
        if token.type == "heading_open":
            words = tokens[index + 1].content
            if token.tag == "h1":
                title = words
            else:
                token.attrSet("id", slug(words))
                headings.append((token.tag, slug(words), words))
        if token.type == "fence":
            run = []
            while index < len(tokens) and tokens[index].type == "fence" and FENCE_LANGUAGE.get(tokens[index].info.split()[0] if tokens[index].info else "") and (
                    not run or FENCE_LANGUAGE[tokens[index].info.split()[0]] not in [language for language, _ in run]):
                language = FENCE_LANGUAGE[tokens[index].info.split()[0]]
                run.append((language, code(tokens[index].content, language)))
                index += 1
            if len(run) > 1:
                out.append(tabbed(run))
                continue
            if run:
                out.append(run[0][1])
                continue
            out.append(code(token.content, (token.info.split() or ["text"])[0]))
            index += 1
            continue
        if token.type == "html_block" and token.content.strip().startswith("<!--"):
            index += 1
            continue
        end = index + 1
        # Links between guides name the Markdown files, which work where the sources are read.
        for child in token.children or []:
            if child.type == "link_open" and re.match(r"^[\w./-]+\.md(#.*)?$", child.attrGet("href") or ""):
                child.attrSet("href", re.sub(r"\.md", ".html", child.attrGet("href")))
            # So do headers; other files of the tree are no pages.
            elif child.type == "link_open" and (child.attrGet("href") or "").startswith("../../"):
                header = re.match(r"^\.\./\.\./core/include/brant/(\w+)\.h$", child.attrGet("href"))
                if header:
                    child.attrSet("href", f"../reference/c-{header[1]}.html")
                else:
                    child.attrs = {"title": child.attrGet("href").removeprefix("../../") + " in the source tree"}
        out.append(renderer.render(tokens[index:end], parser.options, {}))
        index = end
    return title, "".join(out), headings


# ---- the reference -------------------------------------------------------------------------------------------------------


def resolved(schema, definitions):
    """Behind its $ref."""
    return definitions.get(schema["$ref"].split("/")[-1], schema) if "$ref" in schema else schema


def type_of(schema, definitions):
    if "$ref" in schema:
        return type_of(resolved(schema, definitions), definitions) if resolved(schema, definitions) is not schema else escape(schema["$ref"].split("/")[-1])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    for union in ("anyOf", "oneOf"):
        if union in schema:
            return " | ".join(dict.fromkeys(type_of(item, definitions) for item in schema[union]))
    kind = schema.get("type", "any")
    text = " | ".join(kind) if isinstance(kind, list) else kind
    if text == "array" and isinstance(schema.get("items"), dict):
        return f"array of {type_of(schema['items'], definitions)}"
    limits = [f"{sign} {schema[name]}" for name, sign in (("minimum", "≥"), ("maximum", "≤"), ("default", "default")) if name in schema]
    return escape(text) + (f" <small>{escape(', '.join(limits))}</small>" if limits else "")


def members(schema, definitions):
    """A schema's members as a table; a union, or what is no object, by its type."""
    schema = resolved(schema, definitions)
    properties = schema.get("properties")
    if not properties:
        return f"<p>{type_of(schema, definitions)}</p>" if schema.get("type") != "object" or schema.get("additionalProperties") not in (False,) else "<p>none</p>"
    required = set(schema.get("required", []))
    rows = "".join(f'<tr><th scope="row"><code>{escape(name)}</code>{"" if name in required else "<small> optional</small>"}</th><td>{type_of(value, definitions)}</td>'
                   f'<td>{escape(value.get("description") or resolved(value, definitions).get("description", ""))}</td></tr>' for name, value in properties.items())
    return f'<table class="members"><tbody>{rows}</tbody></table>'


ITEM = r"\s*([-*] |@\w+ )"  # of a list, whose further lines are indented


def marked(text):
    return re.sub(r"``?([^`]+)``?", r"<code>\1</code>", escape(text))


def indented(lines):
    """Indented lines of a comment: tables where a line is a name, some blanks and a text, which deeper ones go on with; text between them. None: there is no such line."""
    lines = textwrap.dedent("\n".join(lines)).splitlines()
    runs = []  # [[[name, text], ..]] and [text]
    for line in lines:
        row = re.match(r"(\S(?:.*?\S)?) {2,}(\S.*)$", line)
        if line.startswith(" ") and runs and isinstance(runs[-1], list):
            runs[-1][-1][1] += " " + line.strip()
        elif row:
            if not runs or isinstance(runs[-1], str):
                runs.append([])
            runs[-1].append([row[1], row[2]])
        elif runs and isinstance(runs[-1], str):
            runs[-1] += " " + line.strip()
        else:
            runs.append(line.strip())
    if not any(isinstance(run, list) for run in runs):
        return None
    row = '<tr><th scope="row"><code>{}</code></th><td>{}</td></tr>'
    return "".join(f"<p>{marked(run)}</p>" if isinstance(run, str) else
                   f'<table class="members"><tbody>{"".join(row.format(escape(name), marked(words)) for name, words in run)}</tbody></table>' for run in runs)


def prose(text):
    """A comment: paragraphs, lists, indented tables and code that its lines show; `words` as code."""
    parts, lines, kind, before = [], [], "", []  # before: the lines that what is indented follows

    def verbatim():
        parts.append(f'<pre class="verbatim">{escape(textwrap.dedent(chr(10).join(lines)))}</pre>')

    def close():
        nonlocal lines, kind, before
        if kind == "indented":
            kind, tables, deep, lines, before = "", indented(lines), lines, before, []
            if not tables and lines and not lines[-1].rstrip().endswith(":"):
                lines += deep  # a long line went on
                deep = []
            close()
            if tables:
                parts.append(tables)
            elif deep:
                lines = deep
                verbatim()
        elif kind == "code":
            verbatim()
        elif lines:
            parts.append("<p>" + marked(" ".join(line.strip() for line in lines)) + "</p>")
        lines = []

    for line in (text or "").replace("```js", "```").splitlines():
        if line.strip().startswith("```"):
            close()
            kind = "" if kind == "code" else "code"
        elif kind == "code":
            lines.append(line)
        elif not line.strip():
            close()
        elif line.startswith("  ") and (kind == "indented" or not lines or not re.match(ITEM, lines[0])):
            if kind != "indented":
                kind, before, lines = "indented", lines, []
            lines.append(line)
        else:
            if kind == "indented" or re.match(ITEM, line):
                close()
            lines.append(line)
    close()
    return f'<div class="contract">{"".join(parts)}</div>' if parts else ""


def signature(unit, language):
    """Without what the caller does not write, a parameter a line where it is long."""
    text = unit["signature"]
    if language == "python":
        text = re.sub(r"\((self|cls)(, )?", "(", text, count=1)
        head, _, rest = text.partition("(")
        inner, close, tail = rest.rpartition(")")
        depth, part, parts = 0, "", []
        for byte in inner:
            depth += (byte in "([{") - (byte in ")]}")
            if byte == "," and depth == 0:
                parts.append(part.strip())
                part = ""
            else:
                # As Python's own style has it: blanks around a default behind a type.
                part += " = " if byte == "=" and depth == 0 and ":" in part else byte
        parts = [item for item in [*parts, part.strip()] if item]
        text = f"{head}({', '.join(parts)}{close}{tail}"
        if len(text) > 92:
            text = f"{head}(\n" + "".join(f"    {item},\n" for item in parts) + f"{close}{tail}"
    return text


def method_panels(name, found, example, functions):
    made = snippets.snippets(example, functions) if example and example["runs"] else {}
    panels = []
    for language in snippets.LANGUAGES:
        parts = []
        if language in found and language != "c":
            for unit in found[language].get(name, [])[:SHOWN]:
                owner = unit["name"].rsplit(".", 1)[0] if "." in unit["name"] else ""
                parts.append((f'<p class="of"><code>{escape(owner)}</code></p>' if owner and language != "go" else "") + code(signature(unit, language), language) + prose(unit["doc"]))
        elif language == "c":
            parts.append(f'<p class="of"><code>brant/{found["c"][name]["header"]}</code></p>' + code(found["c"][name]["signature"] + ";", "c") + prose(found["c"][name]["doc"]))
        if language in made and (language != "sql" or runs_by_sql(example)):
            generic = "<p>By its name:</p>" if language in ("python", "node", "go") else ""
            parts.append(generic + code(made[language], language))
        elif language == "sql" and not parts:
            parts.append("<p>Not for the loadable extension, which has no keys, no hubs and no transactions of its own.</p>" if made else "")
        if any(parts):
            panels.append((language, "".join(parts)))
    return tabbed(panels)


def runs_by_sql(example):
    import run

    return run.by_sql(example)


def operation_section(spec, found, example, functions, definitions):
    name = spec["name"]
    scopes = ", ".join(f"<code>{escape(scope)}</code>" for scope in spec["required_scopes"])
    errors = ", ".join(f'<a href="errors.html#{error}"><code>{error}</code></a>' for error in spec["errors"])
    kind = {"query": "reads", "mutation": "writes", "subscription": "a cursor: items as they come"}[spec["type"]]
    shown = ""
    if example:
        answer = json.dumps(example["answer"], ensure_ascii=False, indent=2) if example["answer"] is not None else "null"
        given = json.dumps(example["input"], ensure_ascii=False, indent=2)
        if len(answer) > 3000:
            answer = answer[:3000].rsplit("\n", 1)[0] + "\n  …"
        what = "Yields" if spec["type"] == "subscription" else "Answer"
        shown = f'<details class="example"><summary>Example: {escape(example["test"])}</summary><h4>Input</h4>{code(given, "json")}' + (
            f"<h4>{what}</h4>{code(answer, 'json')}" if spec["type"] != "subscription" else "") + "</details>"
    return (f'<section class="operation" id="{name}"><h2><a href="#{name}">{name}</a> <small>{kind}</small></h2><p class="lead">{escape(spec["title"])}. {escape(spec.get("description", ""))}</p>'
            f"{method_panels(name, found, example, functions)}"
            f'<div class="columns"><div><h3>Input</h3>{members(spec["input_schema"], definitions)}</div><div><h3>{"Each item" if spec["type"] == "subscription" else "Answer"}</h3>{members(spec["output_schema"], definitions)}</div></div>'
            f'<p class="facts">Scope: {scopes}</p><p class="facts">Errors: {errors}</p>{shown}</section>')


def error_codes():
    text = re.sub(r"\s*\\\n\s*", " ", (ROOT / "core/include/brant/base.h").read_text())
    return re.findall(r'X\(([A-Z_]+), (\d+), "([^"]*)"\)', text)


def header_page(path):
    """A header's functions that are no operations, and its types, as its comments say them."""
    parts = []
    # A comment that begins a line is of what follows; others stand in the code, beside a member.
    for part in re.split(r"^(/\*.*?\*/)", path.read_text(), flags=re.S | re.M):
        if part.startswith("/*"):
            text = "\n".join(re.sub(r"^ ?\* ?", "", line) for line in re.sub(r"^/\*+|\*+/$", "", part).strip().splitlines()).strip()
            parts.append(prose(text))
        else:
            text = "\n".join(line for line in part.strip().splitlines() if not re.match(r'^(#(ifn?def|endif|define BRANT_\w+_H|include)|extern "C"|\}$)', line.strip())).strip()
            if text:
                parts.append("".join(f'<a id="{name}"></a>' for name in re.findall(r"BRANT_API[^;]*?(brant_\w+)\(", text)) + code(text, "c"))
    return "".join(parts)


# ---- the site -----------------------------------------------------------------------------------------------------------------


class Site:
    def __init__(self, out):
        self.out = out
        self.index = []
        self.version = (ROOT / "VERSION").read_text().strip()

    def navigation(self, depth, here):
        up = "../" * depth
        guides = "".join(f'<li><a href="{up}guides/{name}.html"{" aria-current=page" if here == f"guides/{name}.html" else ""}>{escape(title)}</a></li>' for name, title in self.guides)
        areas = "".join(f"<li><span>{escape(area)}</span><ul>" + "".join(f'<li><a href="{up}reference/{name}.html"{" aria-current=page" if here == f"reference/{name}.html" else ""}>{name}</a></li>' for name in names) + "</ul></li>" for area, names in AREAS)
        more = "".join(f'<li><a href="{up}reference/{name}.html"{" aria-current=page" if here == f"reference/{name}.html" else ""}>{title}</a></li>' for name, title in (("errors", "Errors"), ("c", "C headers")))
        about = "".join(f'<li><a href="{up}about/{name}.html"{" aria-current=page" if here == f"about/{name}.html" else ""}>{escape(title)}</a></li>' for name, title in self.about)
        return f'<input type="checkbox" id="menu" class="hidden"><label for="menu" class="menu">Pages</label><nav aria-label="Pages"><h2>Guides</h2><ul>{guides}</ul><h2>In depth</h2><ul>{about}</ul><h2>Reference</h2><ul>{areas}{more}</ul></nav>'

    def page(self, path, title, body, aside="", depth=1):
        up = "../" * depth
        target = self.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(
            f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>{escape(title)} · brant</title>'
            f'<link rel="stylesheet" href="{up}style.css"><script src="{up}script.js" defer></script></head><body data-up="{up}"><a class="skip" href="#content">Skip to the text</a>'
            f'<header><a class="brand" href="{up}index.html">brant <small>{self.version}</small></a><form role="search"><label for="search" class="hidden">Search</label>'
            f'<input id="search" type="search" placeholder="Search (press /)" autocomplete="off" aria-controls="found"></form><ol id="found" hidden></ol></header>'
            f'<div class="frame{"" if aside else " wide"}">{self.navigation(depth, path)}<main id="content">{body}</main>{aside}</div></body></html>\n')

    def note(self, title, path, text):
        self.index.append({"title": title, "path": path, "text": re.sub(r"\s+", " ", text)[:300]})

    def write_texts(self):
        texts = {folder: [DOCS / folder / f"{name}.md" for name in names] for folder, names in (("guides", GUIDES), ("about", ABOUT))}
        self.guides, self.about = ([(path.stem, markdown(path.read_text())[0]) for path in texts[folder]] for folder in ("guides", "about"))
        for folder, path in ((folder, path) for folder, paths in texts.items() for path in paths):
            title, body, headings = markdown(path.read_text())
            aside = '<aside aria-label="On this page"><h2>On this page</h2><ul>' + "".join(f'<li class="{tag}"><a href="#{anchor}">{escape(words)}</a></li>' for tag, anchor, words in headings) + "</ul></aside>"
            self.page(f"{folder}/{path.stem}.html", title, body, aside)
            self.note(title, f"{folder}/{path.stem}.html", "")
            for _, anchor, words in headings:
                self.note(f"{title}: {words}", f"{folder}/{path.stem}.html#{anchor}", "")

    def write_reference(self, examples):
        specs, found, functions = record.specs_of(), signatures.collect(), signatures.c_functions()
        for _, names in AREAS:
            for namespace in names:
                document = json.loads((ROOT / "core/operations" / f"{namespace}.json").read_text())
                listed = sorted((spec for spec in document["operations"]), key=lambda spec: spec["name"])
                body = f'<h1>{namespace}</h1><ul class="contents">' + "".join(f'<li><a href="#{spec["name"]}">{spec["name"]}</a> {escape(spec["title"])}</li>' for spec in listed) + "</ul>"
                for spec in listed:
                    body += operation_section(spec, found, examples.get(spec["name"]), functions, document.get("$defs", {}))
                    self.note(spec["name"], f"reference/{namespace}.html#{spec['name']}", f"{spec['title']}. {spec.get('description', '')}")
                self.page(f"reference/{namespace}.html", namespace, body)
        missing = {spec["namespace"] for spec in specs.values()} - {name for _, names in AREAS for name in names}
        if missing:
            raise SystemExit(f"pages: the namespaces {sorted(missing)} stand in no area of AREAS")
        rows = "".join(f'<tr id="{name}"><th scope="row"><code>{name}</code></th><td>{number}</td><td>{escape(text)}</td></tr>' for name, number, text in error_codes())
        self.page("reference/errors.html", "Errors", "<h1>Errors</h1><p>One list of codes for every language. A code says what the caller can do about it; the message says what was wrong.</p>"
                  f'<table class="members"><thead><tr><th>Code</th><th>Number</th><th></th></tr></thead><tbody>{rows}</tbody></table>')
        for name, _, text in error_codes():
            self.note(name, f"reference/errors.html#{name}", text)
        headers = sorted((ROOT / "core/include/brant").glob("*.h"))
        for path in headers:
            self.page(f"reference/c-{path.stem}.html", f"brant/{path.name}", f"<h1>brant/{path.name}</h1>{header_page(path)}")
            self.note(f"brant/{path.name}", f"reference/c-{path.stem}.html", "C header")
        self.page("reference/c.html", "C headers", "<h1>C headers</h1><ul>" + "".join(f'<li><a href="c-{path.stem}.html">brant/{path.name}</a></li>' for path in headers) + "</ul>")

    def write_index(self, count, runs):
        guides = "".join(f'<li><a href="guides/{name}.html">{escape(title)}</a></li>' for name, title in self.guides)
        about = "".join(f'<li><a href="about/{name}.html">{escape(title)}</a></li>' for name, title in self.about)
        areas = "".join(f"<div><h3>{escape(area)}</h3><ul>" + "".join(f'<li><a href="reference/{name}.html">{name}</a></li>' for name in names) + "</ul></div>" for area, names in AREAS)
        self.page("index.html", "brant", "<h1>brant</h1><p class=lead>Typed graphs, encrypted secrets, identity and access control, jobs, streams and events, committed together in one SQLite file. A library for Python, Node.js, Go and C, and a command.</p>"
                  '<p>New here? <a href="guides/first-graph.html">A first graph</a> goes from an empty folder to a typed graph, in ten minutes.</p>'
                  f"<h2>Guides</h2><ul>{guides}</ul><h2>In depth</h2><p>What each part does and promises, in tables.</p><ul>{about}</ul><h2>Reference</h2><p>{count} operations, each in Python, Node.js, Go, C, SQL and on the command line side by side. {runs} of the examples were run in each of them when these pages were "
                  f'built; the others are cursors, transactions and paths, which the conformance suite runs.</p><div class="areas">{areas}</div>', depth=0)

    def write(self, examples):
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        self.write_texts()
        self.write_reference(examples)
        self.write_index(len(examples), sum(example["runs"] for example in examples.values()))
        light, dark = HtmlFormatter(style="default"), HtmlFormatter(style="github-dark")
        style = (DOCS / "site" / "style.css").read_text()
        (self.out / "style.css").write_text(style + light.get_style_defs(".code") + "\n@media (prefers-color-scheme: dark) {\n" + dark.get_style_defs(".code") + "\n}\n")
        shutil.copy(DOCS / "site" / "script.js", self.out / "script.js")
        (self.out / "search.json").write_text(json.dumps(self.index, ensure_ascii=False))


if __name__ == "__main__":
    site = Site(Path(sys.argv[2]))
    site.write(json.loads((Path(sys.argv[1]) / "examples.json").read_text()))
    print(f"{len(list(site.out.rglob('*.html')))} pages in {site.out}")
