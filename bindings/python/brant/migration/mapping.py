"""The mapping file: which columns the former deployment's tables have, and what its values are called here.

`default.toml`, beside this file, is the default mapping and says what each member means. A file of the user's is laid over it: tables and columns that it does not name stay as they are there. It
may be TOML or JSON; every fault is a `MigrationError` that names the file, the line (of TOML) and the member.
"""

from __future__ import annotations

import copy
import fnmatch
import json
import re
import sys
import uuid
from importlib import resources
from pathlib import Path
from typing import Any

from .errors import MigrationError

TABLES = ("accounts", "organizations", "members", "api_keys", "audit", "graph_types", "node_types", "edge_types", "graphs", "nodes", "edges")
"""The parts of a PostgreSQL database, in the order in which they are imported."""

NEEDED = {
    "accounts": {"id", "email"},
    "organizations": {"id", "slug", "owner_id"},
    "members": {"org_id", "account_id", "level"},
    "api_keys": {"id", "hash", "owner_id"},
    "audit": {"id", "action"},
    "graph_types": {"id", "name"},
    "node_types": {"id", "graph_type_id", "name"},
    "edge_types": {"id", "graph_type_id", "name"},
    "graphs": {"id", "graph_type_id"},
    "nodes": {"graph_id", "key"},
    "edges": {"graph_id", "source", "target"},
}

ORDER = {
    "accounts": ("created_at", "id"),
    "members": ("org_id", "account_id"),
    "audit": ("created_at", "id"),
    "graphs": ("created_at", "id"),
    "nodes": ("graph_id", "key"),
    "edges": ("graph_id", "source", "target", "key", "type"),
}
"""By what rows are read: nodes and edges of a graph must follow each other; earlier accounts and graphs keep an email or a name that is there twice. Else by id."""

SETTINGS: dict[str, dict[str, type]] = {
    "accounts": {"stand_in_domain": str},
    "api_keys": {"algorithm": str, "refused_prefix": str, "no_scopes": list},
    "audit": {"action_prefix": str},
}

STREAM = {"redis": str, "stream": str, "key": str, "payload": str, "json": list, "id_member": str, "org": str, "skip": bool}

VALUES: dict[str, dict[str, set[str] | None]] = {
    "accounts": {"access_level": {"user", "service", "admin"}, "status": {"active", "inactive"}},
    "organizations": {"status": {"active", "suspended"}},
    "members": {"level": {"viewer", "member", "admin", "owner"}, "status": {"active", "suspended"}},
    "api_keys": {"algorithm": None, "scopes": None},
    "audit": {"actor_type": {"account", "api_key", "agent", "service", "system"}},
    "graph_types": {"scope": {"system", "tenant", "user"}, "name": None},
    "graphs": {"status": {"draft", "active", "archived", "deleted"}},
}

Document = dict[str, Any]


def default_text() -> str:
    """The commented default mapping file."""
    return resources.files(__package__).joinpath("default.toml").read_text("utf-8")


def _toml(text: str, name: str) -> Document:
    if sys.version_info >= (3, 11):
        import tomllib
    else:  # pragma: no cover
        try:
            import tomli as tomllib
        except ImportError:
            raise MigrationError("reading TOML with Python 3.10 needs tomli: pip install 'brant[migration]', or write the mapping as JSON") from None
    try:
        document: Document = tomllib.loads(text)
        return document
    except tomllib.TOMLDecodeError as error:
        raise MigrationError(f"{name}: {error}") from None


class _Places:
    """Where members stand in a TOML text, well enough to name the line of a fault."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines: dict[str, int] = {}
        section = ""
        for number, line in enumerate(text.splitlines(), 1):
            header = re.match(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?", line)
            if header:
                section = header.group(1).replace('"', "")
                self.lines[section] = number
                continue
            member = re.match(r"""\s*("[^"]*"|'[^']*'|[\w.-]+)\s*=""", line)
            if member:
                name = ".".join(filter(None, (section, member.group(1).strip("\"'"))))
                self.lines[name] = number
                for inner in re.finditer(r"""(?:[{,]\s*)("[^"]*"|[\w-]+)\s*=""", line[member.end() :]):
                    self.lines[f"{name}.{inner.group(1).strip(chr(34))}"] = number

    def fault(self, member: str, message: str) -> MigrationError:
        at = member
        while at and at not in self.lines:
            at = at.rpartition(".")[0]
        line = f":{self.lines[at]}" if at else ""
        return MigrationError(f"{self.name}{line}: {member}: {message}")


class Mapping:
    """A mapping that was checked. `document` is all of it; `load` makes one of the default and a file."""

    def __init__(self, document: Document, places: _Places) -> None:
        self.document = document
        self._places = places
        self.namespace = uuid.UUID(document["ids"]["namespace"])

    def fault(self, member: str, message: str) -> MigrationError:
        """An error at a member: "nodes.columns.key"."""
        return self._places.fault(member, message)

    def table(self, name: str) -> Document:
        found: Document = self.document[name]
        return found

    def enabled(self, name: str) -> bool:
        return bool(self.document[name].get("enabled", True))

    def value(self, table: str, member: str, given: Any) -> Any:
        """What a value is called here: as `values` says, else as it is."""
        known: dict[str, Any] = self.document[table].get("values", {}).get(member, {})
        return known.get(given, given) if isinstance(given, str) else given

    def stream(self, name: str) -> Document | None:
        """What becomes of a Redis stream; None: it is left out."""
        for rule in self.document["streams"]:
            if fnmatch.fnmatchcase(name, rule["redis"]):
                return None if rule["skip"] else dict(rule)
        return None

    def uuid(self, table: str, given: Any) -> str:
        """The id here of a former one: itself where it is a UUID, else the UUIDv5 that is made of it."""
        text = str(given)
        try:
            plain = str(uuid.UUID(text))
        except ValueError:
            plain = ""
        return plain if plain == text.lower() else str(uuid.uuid5(self.namespace, f"{table}:{text}"))


def _lay(over: Document, base: Document) -> Document:
    """`over`'s members in place of `base`'s, table by table."""
    result = copy.deepcopy(base)
    for name, value in over.items():
        known = result.get(name)
        result[name] = _lay(value, known) if isinstance(value, dict) and isinstance(known, dict) else copy.deepcopy(value)
    return result


def _is(value: Any, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is not bool and isinstance(value, bool))


_KIND = {str: "a text", list: "an array of texts", bool: "true or false"}


def _check_member(places: _Places, where: str, value: Any, kind: type) -> None:
    if not _is(value, kind) or (kind is list and not all(isinstance(item, str) for item in value)):
        raise places.fault(where, f"must be {_KIND[kind]}")


def _check_table(places: _Places, name: str, table: Any, known: Document) -> None:
    if not isinstance(table, dict):
        raise places.fault(name, "must be a table")
    settings = SETTINGS.get(name, {})
    for member, value in table.items():
        where = f"{name}.{member}"
        if member in ("table", "query"):
            _check_member(places, where, value, str)
        elif member == "enabled":
            _check_member(places, where, value, bool)
        elif member in settings:
            _check_member(places, where, value, settings[member])
        elif member == "columns":
            columns = set(known["columns"])
            if not isinstance(value, dict):
                raise places.fault(where, "must be a table of columns")
            for column, source in value.items():
                if column not in columns:
                    raise places.fault(f"{where}.{column}", f"is no member of {name}; these are: {', '.join(sorted(columns))}")
                if source is not False and not (isinstance(source, str) and source):
                    raise places.fault(f"{where}.{column}", "must be a column's name, or false")
                if source is False and column in NEEDED[name]:
                    raise places.fault(f"{where}.{column}", "cannot be left out")
        elif member == "values":
            allowed = VALUES.get(name, {})
            if not isinstance(value, dict):
                raise places.fault(where, "must be a table")
            for column, translations in value.items():
                if column not in allowed:
                    raise places.fault(f"{where}.{column}", f"has no translations; in {name} these have: {', '.join(sorted(allowed)) or 'none'}")
                if not isinstance(translations, dict):
                    raise places.fault(f"{where}.{column}", "must be a table of texts")
                for old, new in translations.items():
                    targets = allowed[column]
                    if not isinstance(new, str):
                        raise places.fault(f"{where}.{column}.{old}", "must be a text")
                    if targets is not None and new not in targets:
                        raise places.fault(f"{where}.{column}.{old}", f'"{new}" is none of {", ".join(sorted(targets))}')
        else:
            raise places.fault(where, "is unknown")


def _check_names(places: _Places, where: str, table: Any, depth: int, leaf: tuple[type, ...]) -> None:
    if not isinstance(table, dict):
        raise places.fault(where, "must be a table")
    for name, value in table.items():
        if depth > 1:
            _check_names(places, f"{where}.{name}", value, depth - 1, leaf)
        elif not isinstance(value, leaf) or value is True:
            raise places.fault(f"{where}.{name}", "is of another kind than it may be here")


def checked(given: Any, places: _Places) -> Mapping:
    """Lay a document over the default and check it."""
    base = _toml(default_text(), "default.toml")
    if not isinstance(given, dict):
        raise places.fault("", "must be a table")
    for name, value in given.items():
        if name in TABLES:
            _check_table(places, name, value, base[name])
        elif name == "ids":
            if not isinstance(value, dict) or set(value) - {"namespace"}:
                raise places.fault("ids", "has the member namespace alone")
            try:
                uuid.UUID(value.get("namespace", base["ids"]["namespace"]))
            except (ValueError, TypeError, AttributeError):
                raise places.fault("ids.namespace", "must be a UUID") from None
        elif name == "types":
            _check_names(places, name, value, 2, (str,))
        elif name == "attributes":
            _check_names(places, name, value, 3, (str, bool))
        elif name == "encrypted":
            _check_names(places, name, value, 1, (list,))
        elif name == "streams":
            if not isinstance(value, list):
                raise places.fault(name, "must be [[streams]]")
            for index, rule in enumerate(value):
                for member, of_rule in rule.items() if isinstance(rule, dict) else ():
                    if member not in STREAM:
                        raise places.fault(f"streams.{member}", f"is unknown (rule {index + 1})")
                    _check_member(places, f"streams.{member}", of_rule, STREAM[member])
                if not isinstance(rule, dict) or "redis" not in rule:
                    raise places.fault("streams", f"rule {index + 1} names no streams: redis is missing")
                for member in ("key", "payload"):
                    text = rule.get(member, "id" if member == "key" else "fields")
                    if text not in (("id",) if member == "key" else ("fields",)) and not text.startswith("field:"):
                        raise places.fault(f"streams.{member}", f'"{text}" is neither {"id" if member == "key" else "fields"} nor field:<name>')
        else:
            raise places.fault(name, f"is unknown; these are known: {', '.join(sorted({*TABLES, 'ids', 'types', 'attributes', 'encrypted', 'streams'}))}")
    whole = _lay(given, base)
    for name in TABLES:  # a query in place of a table
        if "query" in given.get(name, {}):
            whole[name].pop("table", None)
    default_rule = base["streams"][0]
    whole["streams"] = [{**default_rule, **rule} for rule in whole["streams"]]
    return Mapping(whole, places)


def load(path: str | Path | None) -> Mapping:
    """Read a mapping file, .json or TOML; None: the default."""
    if path is None:
        text = default_text()
        return checked(_toml(text, "default.toml"), _Places("default.toml", text))
    name = str(path)
    try:
        text = Path(path).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{name}: {error}") from None
    if name.endswith(".json"):
        try:
            return checked(json.loads(text), _Places(name, ""))
        except json.JSONDecodeError as error:
            raise MigrationError(f"{name}:{error.lineno}: {error.msg}") from None
    return checked(_toml(text, name), _Places(name, text))


def restored(document: Document) -> Mapping:
    """The mapping that an export was made with, from its manifest."""
    return checked(document, _Places("manifest.json: mapping", ""))
