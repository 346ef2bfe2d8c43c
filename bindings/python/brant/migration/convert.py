"""What a row of the former deployment becomes here: members of brant's operations, and what had to be changed for that.

Nothing here looks at a database, so that import and verification say the same of a row. `Rejected` is a row that cannot be taken over, with the reason; `Change`s are told of in the report, and
what was there before stands in `metadata.migrated`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from .folder import Row
from .mapping import Mapping
from .source import milliseconds

METADATA_LIMIT = 65536
OWN_TYPES = ("call", "task", "secret", "access", "open")
"""Graph types that every file has."""


class Rejected(Exception):
    """This row cannot be taken over."""

    def __init__(self, code: str, message: str, left_out: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.left_out = left_out


@dataclass
class Converted:
    """Members of an operation, what was changed, and what the row's metadata have to remember."""

    members: dict[str, Any] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)


def as_ms(value: Any) -> int | None:
    """ms of whatever says a time: ms, seconds, a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return int(value if abs(value) >= 100_000_000_000 else value * 1000)
    if isinstance(value, str):
        return as_ms(int(value)) if re.fullmatch(r"-?\d+", value) else milliseconds(value)
    return None


def as_json(value: Any) -> Any:
    """JSON that is in a column of text, parsed; anything else as it is."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    if isinstance(value, dict) and value.keys() == {"$bytes"}:
        try:
            return as_json(base64.b64decode(value["$bytes"]).decode())
        except UnicodeDecodeError:
            return value
    return value


def size(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def metadata(row: Row, kept: dict[str, Any], changes: list[str], limit: int | None = METADATA_LIMIT) -> dict[str, Any]:
    """The row's metadata, with `migrated`: its times, and what was changed."""
    given = as_json(row.get("metadata"))
    known: dict[str, Any] = given if isinstance(given, dict) else {} if given is None else {"value": given}
    former: dict[str, Any] = {name: as_ms(row.get(name)) for name in ("created_at", "updated_at") if row.get(name) is not None}
    former.update(kept)
    whole = {**known, "migrated": former} if former else dict(known)
    if limit is not None and size(whole) > limit:
        changes.append(f"metadata of {size(known)} bytes were left out: more than {limit} are not kept")
        whole = {"migrated": {**former, "metadata_bytes": size(known)}}
    return whole


def shown(row: Row, member: str, changes: list[str], kept: dict[str, Any]) -> str | None:
    """A name to show, within what brant takes: 1 to 255 bytes without NUL."""
    value = row.get(member)
    if value is None or value == "":
        return None
    text = str(value)
    cut = text.replace("\0", "").encode("utf-8", "replace")[:255].decode("utf-8", "ignore")
    if cut != text:
        changes.append(f"{member} was cut to what is kept of one")
        kept[member] = text[:2000]
    return cut or None


def _kept_id(mapping: Mapping, table: str, row: Row) -> tuple[str, dict[str, Any]]:
    id = mapping.uuid(table, row["id"])
    return id, ({} if id == row["id"] else {"id": row["id"]})


def deleted(row: Row) -> None:
    if row.get("deleted_at") is not None:
        raise Rejected("DELETED", "it was deleted in the former deployment", left_out=True)


def chosen(mapping: Mapping, table: str, row: Row, member: str, known: tuple[str, ...], default: str) -> str:
    """A value among those that brant knows."""
    value = row.get(member)
    text = default if value is None else mapping.value(table, member, value)
    if text not in known:
        lower = str(text).lower()
        if lower in known:
            return lower
        raise Rejected("INVALID", f'{member} "{text}" is none of {", ".join(known)}: add it to [{table}.values.{member}]')
    return str(text)


STATES = {"accounts": ("active", "inactive"), "organizations": ("active", "suspended"), "members": ("active", "suspended"), "graphs": ("active", "archived", "draft", "deleted")}


def state(mapping: Mapping, table: str, row: Row) -> tuple[str, list[str]]:
    """The status of a row, and what was changed for it: one that nobody knows gives no rights."""
    known = STATES[table]
    try:
        return chosen(mapping, table, row, "status", known, "active"), []
    except Rejected:
        return known[1], [f'status "{known[1]}" in place of "{row["status"]}", which is unknown: see [{table}.values.status]']


# ---- identity ---------------------------------------------------------------------------------------------------------------


def account(mapping: Mapping, row: Row, email: str | None = None) -> Converted:
    """Members of accounts.create. `email`: the stand-in, where the row's own cannot be had."""
    deleted(row)
    result = Converted()
    id, kept = _kept_id(mapping, "accounts", row)
    if email is not None:
        kept["email"] = row.get("email")
    name = shown(row, "name", result.changes, kept)
    level = chosen(mapping, "accounts", row, "access_level", ("user", "service", "admin"), "user")
    given = email if email is not None else str(row.get("email") or "").strip()
    result.members = {"id": id, "email": given, "name": name, "access_level": level, "metadata": metadata(row, kept, result.changes)}
    return result


def stand_in(mapping: Mapping, row: Row) -> str:
    return f"{mapping.uuid('accounts', row['id'])}@{mapping.table('accounts')['stand_in_domain']}"


def slug(text: Any, id: str) -> str:
    letters = unicodedata.normalize("NFKD", str(text or "").casefold())
    plain = re.sub(r"[^a-z0-9]+", "-", "".join(one for one in letters if not unicodedata.combining(one))).strip("-")[:63].strip("-")
    return plain or f"org-{id}"


def organization(mapping: Mapping, row: Row, other_slug: str | None = None) -> Converted:
    """Members of organizations.create. `other_slug`: where the row's own is taken."""
    deleted(row)
    result = Converted()
    id, kept = _kept_id(mapping, "organizations", row)
    given = str(row.get("slug") or "")
    wanted = other_slug or slug(given, id)
    if wanted != given.lower():
        result.changes.append(f'slug "{wanted}" in place of "{given[:100]}"')
        kept["slug"] = row.get("slug")
    name = shown(row, "name", result.changes, kept) or wanted
    owner = row.get("owner_id")
    result.members = {
        "id": id,
        "slug": wanted,
        "name": name,
        "owner_id": None if owner is None else mapping.uuid("accounts", owner),
        "metadata": metadata(row, kept, result.changes),
    }
    return result


def member(mapping: Mapping, row: Row) -> dict[str, Any]:
    """Members of members.add."""
    deleted(row)
    if row["org_id"] is None or row["account_id"] is None:
        raise Rejected("INVALID", "the membership is of no organization or no account")
    return {
        "org_id": mapping.uuid("organizations", row["org_id"]),
        "account_id": mapping.uuid("accounts", row["account_id"]),
        "level": chosen(mapping, "members", row, "level", ("viewer", "member", "admin", "owner"), "member"),
    }


_SCOPE = re.compile(r"(?:\*|[a-z0-9_.-]{1,64}):(?:\*|[a-z0-9_.-]{1,64})\Z")


def _hash(mapping: Mapping, row: Row) -> str:
    """The SHA-256 of a key, as 64 digits."""
    table = mapping.table("api_keys")
    algorithm = mapping.value("api_keys", "algorithm", row.get("algorithm") or table["algorithm"])
    value = row["hash"]
    if isinstance(value, dict):
        raw = base64.b64decode(value.get("$bytes", ""))
        value = raw.hex() if len(raw) == 32 else raw.decode("utf-8", "replace")
    text = str(value or "").strip()
    named = re.match(r"\$?([A-Za-z][A-Za-z0-9_-]*)[:$](.+)\Z", text, re.DOTALL)
    if named:
        algorithm, text = mapping.value("api_keys", "algorithm", named.group(1)), named.group(2)
    if algorithm != "sha256":
        raise Rejected("UNSUPPORTED", f'the key\'s hash is "{algorithm}": only those of SHA-256 can be taken over; give its owner a new key')
    if text.startswith("\\x"):
        text = text[2:]
    if re.fullmatch(r"[0-9A-Fa-f]{64}", text):
        return text.lower()
    try:
        raw = base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 32:
        raise Rejected("INVALID", "the key's hash is no SHA-256 in hexadecimal or base64")
    return raw.hex()


def api_key(mapping: Mapping, row: Row, now: int) -> tuple[Converted, bool]:
    """Members of api_keys.import, and whether the key is over: revoked or expired."""
    deleted(row)
    table = mapping.table("api_keys")
    result = Converted()
    prefix = row.get("prefix")
    if isinstance(prefix, str) and prefix.startswith(table["refused_prefix"]):
        raise Rejected("INVALID", f'tokens that begin with "{table["refused_prefix"]}" are taken for brant\'s own; give its owner a new key')
    given = as_json(row.get("scopes"))
    texts = given if isinstance(given, list) else re.split(r"[\s,]+", given.strip("{}")) if isinstance(given, str) else []
    scopes: list[str] = []
    unknown: list[Any] = []
    for text in texts:
        if text in (None, ""):
            continue
        scope = mapping.value("api_keys", "scopes", text)
        (scopes if isinstance(scope, str) and _SCOPE.match(scope) else unknown).append(scope)
    if not any(texts):
        scopes = list(table["no_scopes"])
    if unknown:
        result.changes.append(f"scopes that have no place here were left out: {', '.join(map(str, unknown))[:500]}")
    if not scopes:
        raise Rejected("INVALID", "the key has no scope that has a place here: see [api_keys.values.scopes] and no_scopes")
    kept: dict[str, Any] = {"id": row["id"]}
    for name in ("prefix", "last_used_at", "revoked_at", "expires_at"):
        if row.get(name) is not None:
            kept[name] = row[name] if name == "prefix" else as_ms(row[name])
    if unknown:
        kept["scopes"] = given
    expires = as_ms(row.get("expires_at"))
    over = row.get("revoked_at") is not None or (expires is not None and expires <= now)
    if expires is not None and expires > 253402300799999:
        expires = None
    if expires is not None and expires <= now and row.get("revoked_at") is None:
        result.changes.append("it has expired, and is revoked here")
    name = shown(row, "name", result.changes, kept) or "migrated"
    result.members = {
        "owner_id": mapping.uuid("accounts", row["owner_id"]),
        "name": name,
        "scopes": sorted(set(scopes)),
        "hash": _hash(mapping, row),
        "metadata": metadata(row, kept, result.changes),
    }
    if row.get("org_id") is not None:
        result.members["org_id"] = mapping.uuid("organizations", row["org_id"])
    if expires is not None and not over:
        result.members["expires_at"] = expires
    return result, over


def audit(mapping: Mapping, row: Row) -> Converted:
    """Members of audit.append."""
    result = Converted()
    prefix = mapping.table("audit")["action_prefix"]
    action = f"{prefix}{row.get('action') or 'unknown'}"
    detail = as_json(row.get("detail"))
    former = {"id": row["id"], "at": as_ms(row.get("created_at")), "action": row.get("action"), "detail": detail}
    for name in ("actor_type", "actor_id", "org_id", "resource"):
        if row.get(name) is not None:
            former[name] = row[name]
    if size(former) > METADATA_LIMIT - 64:
        result.changes.append(f"its detail of {size(detail)} bytes was left out: more than {METADATA_LIMIT} are not kept")
        former.update(detail=None, detail_bytes=size(detail))
    actor_type = mapping.value("audit", "actor_type", row.get("actor_type"))
    actor_id = row.get("actor_id")
    if actor_id is not None and actor_type in (None, "account"):
        actor_id = mapping.uuid("accounts", actor_id)
    result.members = {"action": action.encode()[:255].decode("utf-8", "ignore"), "detail": {"former": former}}
    if row.get("resource"):
        result.members["resource"] = str(row["resource"]).encode()[:1024].decode("utf-8", "ignore")
    if row.get("org_id") is not None:
        result.members["org_id"] = mapping.uuid("organizations", row["org_id"])
    if actor_id is not None:
        known = actor_type if actor_type in ("account", "api_key", "agent", "service", "system") else "account"
        result.members["actor"] = {"type": known, "id": str(actor_id)}
    return result


# ---- graphs -----------------------------------------------------------------------------------------------------------------


def snake(text: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text).replace("-", "_").lower()


def pascal(text: str, suffix: str) -> str:
    """A type's name: words in PascalCase, without the suffix of its entry."""
    words = re.split(r"[^A-Za-z0-9]+", text)
    name = "".join(word[:1].upper() + word[1:] for word in words if word) or "Unnamed"
    if name.endswith(suffix) and name != suffix:
        name = name[: -len(suffix)]
    return name if name[0].isalpha() else f"T{name}"


class GraphType:
    """A graph type of the former deployment: what it and its types are called here, its module, and what becomes of attributes."""

    def __init__(self, mapping: Mapping, row: Row, node_types: list[Row], edge_types: list[Row]) -> None:
        self.row = row
        self.name = str(mapping.value("graph_types", "name", row["name"]) or row["id"])
        self.own = self.name in OWN_TYPES
        document = mapping.document
        self._types: dict[str, str] = document.get("types", {}).get(self.name, {})
        self._attributes: dict[str, dict[str, Any]] = document.get("attributes", {}).get(self.name, {})
        self.node_names = self._names(node_types, "Node")
        self.edge_names = self._names(edge_types, "Edge")
        self.version = max(1, int(row["version"])) if str(row.get("version") or "").isdigit() else 1
        self.scope = mapping.value("graph_types", "scope", row.get("scope"))
        self.module = None if self.own else self._module(mapping, node_types, edge_types)

    def _names(self, rows: list[Row], suffix: str) -> dict[str, str]:
        names = {}
        for row in rows:
            name = self._types.get(row["name"]) or pascal(str(row["name"]), suffix)
            names[str(row["id"])] = names[str(row["name"])] = name
        return names

    def type_name(self, kind: str, given: Any) -> str | None:
        """The name here of a row's type, by its id or its name."""
        if given is None or self.name == "open":
            return None
        known = self.node_names if kind == "node" else self.edge_names
        text = str(given)
        return known.get(text) or self._types.get(text) or pascal(text, kind.capitalize())

    def _module(self, mapping: Mapping, node_types: list[Row], edge_types: list[Row]) -> dict[str, Any]:
        whole = as_json(self.row.get("module"))
        if isinstance(whole, dict):
            return whole
        entries: dict[str, Any] = {"Config": {"type": "object", "properties": {name: {"const": value} for name, value in self._config().items()}}}
        encrypted = mapping.document.get("encrypted", {})
        for rows, names, suffix in ((node_types, self.node_names, "Node"), (edge_types, self.edge_names, "Edge")):
            for row in rows:
                name = names[str(row["id"])]
                schema = as_json(row.get("schema"))
                schema = dict(schema) if isinstance(schema, dict) else {}
                for attribute in encrypted.get(f"{self.name}.{name}", ()):
                    properties = dict(schema.get("properties", {}))
                    properties[attribute] = {**properties.get(attribute, {}), "x-encrypted": True}
                    schema["properties"] = properties
                entries[f"{name}{suffix}"] = schema
                ends = {}
                for end in ("source", "target") if suffix == "Edge" else ():
                    allowed = as_json(row.get(end))
                    allowed = [allowed] if isinstance(allowed, str) and allowed else allowed
                    if isinstance(allowed, list) and allowed:
                        ends[end] = {"enum": sorted({self.type_name("node", one) or "" for one in allowed})}
                if ends:
                    entries[f"{name}EdgeConstraints"] = {"type": "object", "properties": ends}
        return {"$id": self.name, "$defs": entries}

    def _config(self) -> dict[str, Any]:
        given = as_json(self.row.get("config"))
        members = given if isinstance(given, dict) else {}
        if isinstance(members.get("properties"), dict):
            members = {name: value.get("const") for name, value in members["properties"].items() if isinstance(value, dict) and "const" in value}
        found: dict[str, Any] = {}
        for name, value in members.items():
            name = {"type": "directed", "self_loops": "allow_self_loops"}.get(snake(name), snake(name))
            if name == "directed" and isinstance(value, bool):
                value = "directed" if value else "undirected"
            if name in ("directed", "multi", "allow_self_loops", "acyclic", "max_nodes", "max_edges") and value is not None:
                found[name] = value
        return found

    def attributes(self, kind: str, type: str | None, given: Any) -> dict[str, Any]:
        """A row's attributes, by the names that they have here."""
        value = as_json(given)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            raise Rejected("INVALID", "its attributes are no object")
        renamed = self._attributes.get(type or "", {})
        result: dict[str, Any] = {}
        for name, member in value.items():
            renaming = renamed.get(name, snake(name) if self.own and self.name != "open" else name)
            if renaming is False:
                continue
            new = str(renaming)
            if self.own and isinstance(member, str) and (new.endswith("_at") or new == "deadline"):
                member = milliseconds(member) if milliseconds(member) is not None else member
            if member is None and self.own:
                continue
            result[new] = member
        return result


def older_envelope(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {"keyVersion", "salt", "iv", "data"}


def item(graph_type: GraphType, kind: str, row: Row, key_of: Any) -> dict[str, Any]:
    """An item of nodes.put_many or edges.put_many. `key_of` gives the key here of a node's."""
    deleted(row)
    type = graph_type.type_name(kind, row.get("type"))
    result: dict[str, Any] = {
        "attributes": graph_type.attributes(kind, type, row.get("attributes")),
        "metadata": metadata(row, {}, [], None),
    }
    if type is not None:
        result["type"] = type
    for name in ("key",) if kind == "node" else ("key", "source", "target"):
        value = row.get(name)
        if value is None or value == "":
            if kind == "edge" and name == "key":
                continue
            raise Rejected("INVALID", f"it has no {name}")
        result[name] = key_of(str(value)) if kind == "node" or name != "key" else str(value)
    if kind == "edge" and isinstance(row.get("undirected"), bool):
        result["undirected"] = row["undirected"]
    if graph_type.name == "access" and "account_id" in result["attributes"]:
        result["attributes"]["account_id"] = key_of(f"account:{result['attributes']['account_id']}").partition(":")[2]
    return result


# ---- streams ----------------------------------------------------------------------------------------------------------------


def event(rule: dict[str, Any], row: Row) -> dict[str, Any]:
    """An item of streams.publish_many."""
    fields: dict[str, Any] = {}
    twice: set[str] = set()
    for name, value in row["fields"]:
        text = name if isinstance(name, str) else json.dumps(name)
        if text in fields:  # Redis takes a field twice
            fields[text] = [*(fields[text] if text in twice else [fields[text]]), value]
            twice.add(text)
        else:
            fields[text] = value
    if rule["payload"].startswith("field:"):
        payload = as_json(fields.get(rule["payload"][6:]))
    else:
        payload = {name: as_json(value) if name in rule["json"] else value for name, value in fields.items()}
    key = row["id"]
    if rule["key"].startswith("field:"):
        key = fields.get(rule["key"][6:])
        if isinstance(payload, dict):
            payload = {**payload, rule["id_member"]: row["id"]}
        else:
            payload = {rule["id_member"]: row["id"], "payload": payload}
    result: dict[str, Any] = {"payload": payload}
    if isinstance(key, str) and 0 < len(key.encode()) <= 255 and "\0" not in key:
        result["key"] = key
    return result
