"""Graphs from what Kuzu and LadybugDB write with EXPORT DATABASE: schema.cypher, copy.cypher and a CSV file for each table.

    EXPORT DATABASE 'folder' (format='csv', header=true)

Node tables become node types, relationship tables edge types, with a JSON Schema of their columns: a graph type of its own, directed and multi. A node's key is "<table>:<primary key>", since a primary key is unique in its
table alone; an edge's is "<file>:<row>", so that reading the folder again puts the same edges. A multiplicity of one (MANY_ONE, ..) becomes max_out or max_in where the relationship table has one pair of tables.

Columns: numbers, booleans and text as they are; INT128 and DECIMAL as text, which keeps them exact; dates, times, intervals and UUIDs as text; BLOB as {"$base64": ..}; lists, arrays, structs and maps as JSON. NULL: no such attribute.
What Kuzu's CSV does not keep cannot be brought back: floating-point numbers have six digits there, and texts in lists stand without quotes, so that one with a comma or bracket in it is taken apart.
Its Parquet files are read by no Parquet library but its own (pyarrow refuses them): export as CSV.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..database import Database
from ..errors import BrantError
from .convert import pascal
from .errors import MigrationError
from .source import Progress

BATCH = 2000


@dataclass
class Table:
    """A table of the schema. `columns`: name and type; `pairs`: of a relationship table, from which to which."""

    name: str
    columns: list[tuple[str, str]] = field(default_factory=list)
    key: str = ""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    multiplicity: str = "MANY_MANY"

    @property
    def is_node(self) -> bool:
        return not self.pairs


@dataclass
class Copy:
    """A COPY statement: which file has which columns of which table."""

    table: str
    columns: list[str]
    file: str
    options: dict[str, str]


# ---- Cypher -----------------------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"""\s*(?:(`(?:[^`]|``)*`)|("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|([A-Za-z_][\w]*|\d+(?:\.\d+)?)|(.))""", re.DOTALL)


def _tokens(text: str) -> list[str]:
    """Words, signs, and names in backquotes (which keep a leading backquote) and texts (a leading quote)."""
    found = []
    for match in _TOKEN.finditer(text.rstrip()):
        name, quoted, word, sign = match.groups()
        if name is not None:
            found.append("`" + name[1:-1].replace("``", "`"))
        elif quoted is not None:
            found.append("'" + re.sub(r"\\(.)", lambda one: {"n": "\n", "t": "\t", "r": "\r"}.get(one[1], one[1]), quoted[1:-1]))
        else:
            found.append(word if word is not None else sign)
    return found


class _Statement:
    """The tokens of one statement, taken one by one."""

    def __init__(self, tokens: list[str], where: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._where = where

    def fault(self, wanted: str) -> MigrationError:
        found = self._tokens[self._at] if self._at < len(self._tokens) else "the end"
        return MigrationError(f"{self._where}: {wanted} is wanted where {found} stands")

    def peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def next(self) -> str:
        token = self.peek()
        if not token:
            raise self.fault("more")
        self._at += 1
        return token

    def take(self, *words: str) -> bool:
        """Go on behind these words, if they are next."""
        here = [token.upper() for token in self._tokens[self._at : self._at + len(words)]]
        if here == list(words):
            self._at += len(words)
            return True
        return False

    def need(self, *words: str) -> None:
        if not self.take(*words):
            raise self.fault(" ".join(words))

    def name(self) -> str:
        return self.next().lstrip("`")

    def type(self) -> str:
        """A column's type, up to the comma or bracket that ends it."""
        depth = 0
        parts: list[str] = []
        while depth > 0 or self.peek() not in (",", ")", ""):
            token = self.next()
            if depth == 0 and token.upper() in ("DEFAULT", "PRIMARY"):
                while depth > 0 or self.peek() not in (",", ")", ""):
                    depth += {"(": 1, ")": -1}.get(self.next(), 0)
                break
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token, 0)
            # Names in structs keep their quotes, so that two words stay two.
            parts.append(f"`{token[1:]}` " if token.startswith("`") else token if token in "()[],." else f"{token} ")
        return re.sub(r" (?=[()\[\],])", "", "".join(parts)).strip()


def _statements(path: Path) -> Iterator[_Statement]:
    try:
        tokens = _tokens(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path}: {error}") from None
    begin = 0
    for at, token in enumerate([*tokens, ";"]):
        if token == ";":
            if at > begin:
                yield _Statement(tokens[begin:at], str(path))
            begin = at + 1


def read_schema(path: Path) -> dict[str, Table]:
    """The tables of schema.cypher, by name; what is about sequences, macros and indexes is passed over."""
    tables: dict[str, Table] = {}
    for statement in _statements(path):
        if not statement.take("CREATE"):
            continue
        is_node = statement.take("NODE", "TABLE")
        if not is_node and not statement.take("REL", "TABLE"):
            continue
        if statement.take("GROUP"):
            pass
        statement.take("IF", "NOT", "EXISTS")
        table = Table(statement.name())
        statement.need("(")
        while not statement.take(")"):
            if is_node and statement.take("PRIMARY", "KEY"):
                statement.need("(")
                table.key = statement.name()
                statement.need(")")
            elif not is_node and statement.take("FROM"):
                source = statement.name()
                statement.need("TO")
                table.pairs.append((source, statement.name()))
            elif not is_node and statement.peek().upper() in ("MANY_MANY", "MANY_ONE", "ONE_MANY", "ONE_ONE"):
                table.multiplicity = statement.next().upper()
            else:
                name = statement.name()
                table.columns.append((name, statement.type()))
            if not statement.take(","):
                statement.need(")")
                break
        if is_node and table.key not in dict(table.columns):
            raise MigrationError(f"{path}: node table {table.name} has no primary key")
        if not is_node and not table.pairs:
            raise MigrationError(f"{path}: relationship table {table.name} has no FROM and TO")
        tables[table.name] = table
    for table in tables.values():
        for pair in table.pairs:
            for end in pair:
                if end not in tables or not tables[end].is_node:
                    raise MigrationError(f"{path}: relationship table {table.name} is of node table {end}, which is not there")
    return tables


def read_copies(path: Path) -> list[Copy]:
    """The COPY statements of copy.cypher."""
    copies = []
    for statement in _statements(path):
        if not statement.take("COPY"):
            continue
        copy = Copy(statement.name(), [], "", {})
        if statement.take("("):
            while not statement.take(")"):
                copy.columns.append(statement.name())
                statement.take(",")
        statement.need("FROM")
        copy.file = statement.next().lstrip("'")
        if statement.take("("):
            while not statement.take(")"):
                name = statement.name().lower()
                statement.need("=")
                value = statement.next()
                if statement.take("="):  # Kuzu writes delim=delim='|'
                    value = statement.next()
                copy.options[name] = value.lstrip("'`")
                statement.take(",")
        copies.append(copy)
    return copies


# ---- CSV --------------------------------------------------------------------------------------------------------------------


def read_csv(path: Path, options: dict[str, str]) -> Iterator[list[str | None]]:
    """Rows of a CSV file as Kuzu writes it. A field without quotes that is empty is NULL (None); one in quotes is text."""
    delimiter, quote, escape = options.get("delim", ","), options.get("quote", '"'), options.get("escape", options.get("quote", '"'))
    field_: list[str] = []
    row: list[str | None] = []
    quoted = inside = False
    header = options.get("header", "false").lower() == "true"

    def rows() -> Iterator[list[str | None]]:
        nonlocal field_, row, quoted, inside
        with open(path, encoding="utf-8", newline="") as stream:
            pending = ""
            while True:
                block = stream.read(1 << 20)
                text = pending + block
                pending = ""
                at = 0
                while at < len(text):
                    one = text[at]
                    if inside:
                        if one in (quote, escape) and at + 1 == len(text) and block:
                            pending = one  # what it means is in the next block
                            break
                        if one == escape and at + 1 < len(text) and text[at + 1] in (quote, escape):
                            field_.append(text[at + 1])
                            at += 2
                            continue
                        if one == quote:
                            inside = False
                        else:
                            field_.append(one)
                    elif one == quote and not field_ and not quoted:
                        inside = quoted = True
                    elif one == delimiter:
                        row.append("".join(field_) if field_ or quoted else None)
                        field_, quoted = [], False
                    elif one == "\n":
                        if field_ and field_[-1] == "\r" and not quoted:
                            field_.pop()
                        row.append("".join(field_) if field_ or quoted else None)
                        field_, quoted = [], False
                        yield row
                        row = []
                    elif not (one == "\r" and quoted):
                        field_.append(one)
                    at += 1
                if not block:
                    break
        if inside:
            raise MigrationError(f"{path}: ends within quotes")
        if field_ or quoted or row:
            row.append("".join(field_) if field_ or quoted else None)
            yield row

    try:
        for number, found in enumerate(rows()):
            if number or not header:
                yield found
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path}: {error}") from None


# ---- types ------------------------------------------------------------------------------------------------------------------

_INTEGER = {"SERIAL", "INT64", "INT32", "INT16", "INT8", "UINT32", "UINT16", "UINT8", "INT", "INTEGER", "BIGINT", "SMALLINT", "TINYINT"}
_NUMBER = {"DOUBLE", "FLOAT", "REAL"}
_BOOLEAN = {"BOOL", "BOOLEAN"}


def _split(text: str, separator: str = ",") -> list[str]:
    """The parts of a text at its outermost level of brackets."""
    parts, depth, begin = [], 0, 0
    for at, one in enumerate(text):
        if one in "([{":
            depth += 1
        elif one in ")]}":
            depth -= 1
        elif one == separator and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    return [*parts, text[begin:]] if text.strip() else []


def _members(type: str) -> list[tuple[str, str]]:
    """Names and types of STRUCT(a INT64, `b c` STRING)."""
    found = []
    for part in _split(type[type.index("(") + 1 : -1]):
        name, _, of = part.strip().partition(" ") if not part.strip().startswith("`") else part.strip()[1:].partition("`")
        found.append((name, of.strip()))
    return found


def _is_list(type: str) -> str | None:
    """The element's type of a list or array."""
    found = re.fullmatch(r"(.*)\[\d*\]", type, re.DOTALL)
    return found.group(1).strip() if found else None


def schema_of(type: str) -> dict[str, Any]:
    """The JSON Schema of a column's values."""
    element = _is_list(type)
    if element is not None:
        return {"type": "array", "items": _nullable(schema_of(element))}
    base = type.partition("(")[0].strip().upper()
    if base in _INTEGER:
        return {"type": "integer"}
    if base in _NUMBER:
        return {"type": ["number", "string"]} | {"description": "nan and infinities are text"}
    if base in _BOOLEAN:
        return {"type": "boolean"}
    if base == "STRUCT":
        return {"type": "object", "properties": {name: _nullable(schema_of(of)) for name, of in _members(type)}}
    if base == "MAP":
        return {"type": "object"}
    if base == "BLOB":
        return {"type": "object", "properties": {"$base64": {"type": "string"}}, "required": ["$base64"]}
    if base in ("UNION", "ANY", "JSON"):
        return {}
    if base == "UUID":
        return {"type": "string", "format": "uuid"}
    if base == "DATE":
        return {"type": "string", "format": "date"}
    return {"type": "string"}


def _nullable(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


def value_of(text: str | None, type: str) -> Any:
    """A value of a CSV field; ValueError: it is none of the type."""
    if text is None:
        return None
    element = _is_list(type)
    if element is not None:
        if not (text.startswith("[") and text.endswith("]")):
            raise ValueError("no list")
        plain = element.partition("(")[0].upper() in ("STRING", "BLOB")
        return [value_of(one if plain else one.strip() or None, element) for one in _split(text[1:-1])]
    base = type.partition("(")[0].strip().upper()
    if base in _INTEGER:
        return int(text)
    if base in _NUMBER:
        number = float(text)
        return number if number - number == 0 else text
    if base in _BOOLEAN:
        if text.lower() not in ("true", "false"):
            raise ValueError("no boolean")
        return text.lower() == "true"
    if base == "STRUCT":
        values = {}
        types = dict(_members(type))
        for part in _split(text.strip()[1:-1]):
            name, _, one = part.strip().partition(":")
            values[name.strip()] = value_of(one.strip() or None, types.get(name.strip(), "STRING"))
        return values
    if base == "MAP":
        inner = _split(type[type.index("(") + 1 : -1])
        return {name.strip(): value_of(one or None, inner[1].strip()) for name, _, one in (part.partition("=") for part in _split(text.strip()[1:-1]))}
    if base == "BLOB":
        raw = re.sub(rb"\\x([0-9A-Fa-f]{2})", lambda one: bytes([int(one[1], 16)]), text.encode())
        return {"$base64": base64.b64encode(raw).decode()}
    if base == "JSON":
        return json.loads(text)
    return text


# ---- import -----------------------------------------------------------------------------------------------------------------


def _type_names(tables: dict[str, Table]) -> dict[str, str]:
    """A type's name for each table, none twice."""
    names: dict[str, str] = {}
    for table in tables.values():
        name = wanted = pascal(table.name, "Node" if table.is_node else "Edge")
        number = 1
        while name in names.values():
            number += 1
            name = f"{wanted}{number}"
        names[table.name] = name
    return names


def module_of(tables: dict[str, Table], name: str) -> dict[str, Any]:
    """The module of a schema."""
    names = _type_names(tables)
    entries: dict[str, Any] = {
        "Config": {"type": "object", "properties": {"directed": {"const": "directed"}, "multi": {"const": True}, "allow_self_loops": {"const": True}}},
    }
    for table in tables.values():
        schema = {"type": "object", "description": f"Table {table.name}", "properties": {column: schema_of(type) for column, type in table.columns}, "additionalProperties": False}
        if table.is_node:
            entries[f"{names[table.name]}Node"] = {**schema, "required": [table.key]}
            continue
        entries[f"{names[table.name]}Edge"] = schema
        ends: dict[str, Any] = {end: {"enum": sorted({names[pair[at]] for pair in table.pairs})} for at, end in enumerate(("source", "target"))}
        if len(table.pairs) == 1:
            left, _, right = table.multiplicity.partition("_")
            ends |= {"max_out": {"const": 1}} if right == "ONE" else {}
            ends |= {"max_in": {"const": 1}} if left == "ONE" else {}
        entries[f"{names[table.name]}EdgeConstraints"] = {"type": "object", "properties": ends}
    return {"$id": name, "$defs": entries}


def _rows(folder: Path, copy: Copy, tables: dict[str, Table]) -> Iterator[dict[str, Any]]:
    """The nodes or edges of one file."""
    table = tables.get(copy.table)
    if table is None:
        raise MigrationError(f"{folder / 'copy.cypher'}: table {copy.table} is not in schema.cypher")
    path = folder / copy.file
    if folder.resolve() not in path.resolve().parents:
        raise MigrationError(f"{folder / 'copy.cypher'}: {copy.file} is outside of the folder")
    if path.suffix.lower() == ".parquet":
        raise MigrationError(f"{path}: no library reads Kuzu's Parquet files; export again with EXPORT DATABASE '..' (format='csv', header=true)")
    types = dict(table.columns)
    name = _type_names(tables)[table.name]
    columns = copy.columns or [column for column, _ in table.columns]
    ends: list[tuple[str, str]] = []
    if not table.is_node:
        pair = (copy.options.get("from", table.pairs[0][0]), copy.options.get("to", table.pairs[0][1]))
        if pair not in table.pairs:
            raise MigrationError(f"{folder / 'copy.cypher'}: {copy.file}: {table.name} does not go from {pair[0]} to {pair[1]}")
        ends = [(end, dict(tables[end].columns)[tables[end].key]) for end in pair]
    for number, row in enumerate(read_csv(path, copy.options), 1):
        if len(row) != len(ends) + len(columns):
            raise MigrationError(f"{path}: row {number} has {len(row)} fields, {len(ends) + len(columns)} are wanted")
        values: dict[str, Any] = {}
        for column, text in zip(columns, row[len(ends) :]):
            try:
                value = value_of(text, types[column])
            except (ValueError, IndexError, KeyError):
                raise MigrationError(f"{path}: row {number}: column {column} is no {types.get(column, 'column of its table')}") from None
            if value is not None:
                values[column] = value
        if table.is_node:
            if values.get(table.key) is None:
                raise MigrationError(f"{path}: row {number} has no primary key")
            yield {"key": f"{table.name}:{values[table.key]}", "type": name, "attributes": values}
        else:
            source, target = (f"{end}:{value_of(text, type)}" for (end, type), text in zip(ends, row))
            yield {"key": f"{Path(copy.file).stem}:{number}", "type": name, "source": source, "target": target, "attributes": values}


def load(db: Database, path: str | Path, graph: str, *, graph_type: str | None = None, progress: Progress = lambda *_: None) -> dict[str, int]:
    """Read an exported folder into a graph, which is made where it is not there, of a new graph type named `graph_type` (the graph's name). {"nodes", "edges"}: how many there are.

    Each batch is a transaction, and rows have keys that follow from the export: read again after a crash, it puts what is there and goes on. MigrationError: what stands in the folder is no export, with file and row;
    BrantError: a row that the graph refuses."""
    folder = Path(path)
    tables = read_schema(folder / "schema.cypher")
    copies = read_copies(folder / "copy.cypher")
    type_name = graph_type or graph
    try:
        db.call("graph_types.define", {"module": module_of(tables, type_name), "name": type_name})
    except BrantError as error:
        raise MigrationError(f"{folder / 'schema.cypher'}: {error.message}") from None
    try:
        known = db.call("graphs.get", {"name": graph})
    except KeyError:
        known = db.call("graphs.create", {"name": graph, "graph_type": type_name, "metadata": {"migrated": {"from": "kuzu", "tables": _type_names(tables)}}})
    if known["graph_type"] != type_name:
        raise MigrationError(f'there is a graph "{graph}" of graph type {known["graph_type"]} already')
    counts = {"nodes": 0, "edges": 0}
    for kind in ("nodes", "edges"):
        for copy in copies:
            if copy.table in tables and tables[copy.table].is_node != (kind == "nodes"):
                continue
            batch: list[dict[str, Any]] = []
            written = 0
            for item in _rows(folder, copy, tables):
                batch.append(item)
                if len(batch) == BATCH:
                    db.call(f"{kind}.put_many", {"graph": graph, "items": batch})
                    written += len(batch)
                    batch = []
                    progress(copy.file, written, None)
            if batch:
                db.call(f"{kind}.put_many", {"graph": graph, "items": batch})
                written += len(batch)
            counts[kind] += written
            progress(copy.file, written, written)
    return counts
