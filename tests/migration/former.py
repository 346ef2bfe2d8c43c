"""The former deployment, as the default mapping assumes it, with all that goes wrong in one that has been in use: made of a seed, so that each run has the same."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import psycopg
import redis
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ITERATIONS = 2000
PASSWORDS = {1: "former password one", 2: "former password two"}

TABLES = """
CREATE TABLE accounts (id text PRIMARY KEY, email text, display_name text, access_level text, status text, metadata jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz);
CREATE TABLE organizations (id text PRIMARY KEY, slug text, name text, owner_id text, status text, metadata jsonb, created_at timestamptz, updated_at timestamptz, deleted_at timestamptz);
CREATE TABLE organization_members (id bigserial PRIMARY KEY, org_id text, account_id text, membership_level text, status text, created_at timestamptz, updated_at timestamptz);
CREATE TABLE api_keys (id uuid PRIMARY KEY, key_hash text, key_prefix text, owner_id text, org_id text, name text, scopes jsonb, expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz,
  metadata jsonb, created_at timestamptz, updated_at timestamptz);
CREATE TABLE audit_logs (id bigserial PRIMARY KEY, action text, actor_type text, actor_id text, org_id text, resource text, detail jsonb, created_at timestamptz);
CREATE TABLE graph_types (id uuid PRIMARY KEY, name text, config jsonb, version integer, scope text, metadata jsonb);
CREATE TABLE node_types (id uuid PRIMARY KEY, graph_type_id uuid, name text, schema jsonb);
CREATE TABLE edge_types (id uuid PRIMARY KEY, graph_type_id uuid, name text, schema jsonb, allowed_source_types jsonb, allowed_target_types jsonb);
CREATE TABLE graphs (id uuid PRIMARY KEY, graph_type_id uuid, name text, org_id text, owner_id text, project_id text, status text, metadata jsonb, created_at timestamptz, updated_at timestamptz);
CREATE TABLE nodes (graph_id uuid, key text, node_type_id uuid, attributes jsonb, metadata jsonb, created_at timestamptz, updated_at timestamptz);
CREATE TABLE edges (graph_id uuid, key text, edge_type_id uuid, source_key text, target_key text, attributes jsonb, metadata jsonb, created_at timestamptz, updated_at timestamptz);
"""
TIMES = ("2021-03-04 05:06:07.891+00", "2024-02-29 23:59:59+01")


@dataclass
class Former:
    """What the tests want to know of it."""

    tokens: dict[str, str] = field(default_factory=dict)
    """Tokens of keys by what they are for: "good", "expired", "revoked", .."""
    ids: dict[str, str] = field(default_factory=dict)
    secrets: dict[str, Any] = field(default_factory=dict)
    rows: int = 0


def envelope(value: Any, version: int = 1) -> dict[str, Any]:
    """As WebCrypto made them."""
    salt, iv = os.urandom(16), os.urandom(12)
    key = PBKDF2HMAC(hashes.SHA256(), 32, salt, ITERATIONS).derive(PASSWORDS[version].encode())
    data = AESGCM(key).encrypt(iv, json.dumps(value).encode(), None)
    return {"keyVersion": version, **{name: base64.b64encode(raw).decode() for name, raw in (("salt", salt), ("iv", iv), ("data", data))}}


class _Maker:
    def __init__(self, connection: psycopg.Connection[Any], scale: int) -> None:
        self.random = random.Random(7)
        self.connection = connection
        self.scale = scale
        self.former = Former()

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def add(self, table: str, columns: str, rows: list[tuple[Any, ...]]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([json.dumps(value) if isinstance(value, (dict, list)) else value for value in row])
        self.former.rows += len(rows)

    def identity(self) -> None:
        former, ids = self.former, self.former.ids
        accounts: list[tuple[Any, ...]] = []
        names = ["Ann", "Bob", None, "", "Ünïcødé 𝄞 🦊", "x" * 400, "O'Brien; DROP TABLE accounts"]
        for number in range(self.scale):
            ids[f"account{number}"] = self.uuid()
            level = ["standard", "user", "bot", "user", None][number % 5]
            status = "disabled" if number % 17 == 16 else "active"
            metadata = [None, {}, {"theme": "dark", "nested": {"a": [1, 2, {"b": None}]}}, ["no", "object"]][number % 4]
            accounts.append((ids[f"account{number}"], f"user{number}@Example.COM", names[number % len(names)], level, status, metadata, *TIMES, None))
        for name, email in (("upper", "USER1@example.com"), ("none", None), ("bad", "not an email"), ("idn", "leser@bücher.example"), ("twin", "user2@EXAMPLE.com")):
            ids[name] = self.uuid()
            accounts.append((ids[name], email, name, "user", "active", {"big": "y" * 1000}, "2025-01-01 00:00:00+00", TIMES[1], None))
        ids["deleted"] = self.uuid()
        accounts.append((ids["deleted"], "gone@example.com", "gone", "user", "active", None, *TIMES, "2025-01-01 00:00:00+00"))
        ids["huge"] = self.uuid()
        accounts.append((ids["huge"], "huge@example.com", "huge", "user", "active", {"big": "z" * 200000}, *TIMES, None))
        ids["root"] = self.uuid()
        accounts.append((ids["root"], "root@example.com", "root", "superuser", "active", None, *TIMES, None))
        ids["number"] = "4711"  # an id that is no UUID
        accounts.append(("4711", "number@example.com", "number", "user", "active", None, *TIMES, None))
        ids["odd"] = self.uuid()
        accounts.append((ids["odd"], "odd@example.com", "odd", "user", "frozen", None, *TIMES, None))
        ids["sole"] = self.uuid()
        accounts.append((ids["sole"], "sole@example.com", "sole", "user", "disabled", None, *TIMES, None))
        self.add("accounts", "id, email, display_name, access_level, status, metadata, created_at, updated_at, deleted_at", accounts)

        orgs: list[tuple[Any, ...]] = []
        for number in range(8):
            ids[f"org{number}"] = self.uuid()
            slug = [f"org-{number}", f"Org_{number} Straße", f"ORG-{number}"][number % 3]
            orgs.append((ids[f"org{number}"], slug, f"Organisation {number} ÄÖ", ids[f"account{number}"], "active", {"plan": "team"}, *TIMES, None))
        for name, owner, status in (("suspended", ids["account9"], "suspended"), ("orphaned", ids["deleted"], "active"), ("empty", None, "active"), ("soled", ids["sole"], "active")):
            ids[name] = self.uuid()
            orgs.append((ids[name], name, name, owner, status, None, *TIMES, None))
        ids["twinorg"] = self.uuid()
        orgs.append((ids["twinorg"], "ORG-0", "twin", ids["account0"], "active", None, *TIMES, None))
        self.add("organizations", "id, slug, name, owner_id, status, metadata, created_at, updated_at, deleted_at", orgs)

        members: list[tuple[Any, ...]] = []
        for number in range(8):
            org = ids[f"org{number}"]
            members.append((org, ids[f"account{number}"], "owner", "active", *TIMES))
            for other in range(10, 10 + self.scale // 10):
                level = ["guest", "editor", "admin", "member", "viewer"][other % 5]
                members.append((org, ids[f"account{other}"], level, "inactive" if other % 9 == 8 else "active", *TIMES))
        members += [
            (ids["orphaned"], ids["account3"], "owner", "active", *TIMES),
            (ids["suspended"], ids["account9"], "owner", "active", *TIMES),
            (ids["soled"], ids["sole"], "owner", "active", *TIMES),
            (ids["org0"], ids["deleted"], "member", "active", *TIMES),
            (self.uuid(), ids["account1"], "member", "active", *TIMES),
            (ids["org0"], self.uuid(), "member", "active", *TIMES),
            (ids["org0"], None, "member", "active", *TIMES),
            (ids["org0"], ids["account10"], "member", "active", *TIMES),
            (ids["org0"], ids["number"], "emperor", "active", *TIMES),
            (ids["org1"], ids["number"], "admin", "active", *TIMES),
        ]
        self.add("organization_members", "org_id, account_id, membership_level, status, created_at, updated_at", members)

        keys: list[tuple[Any, ...]] = []

        def key(name: str, owner: str, org: str | None, scopes: Any, expires: str | None = None, revoked: str | None = None, form: str = "hex", prefix: str = "alk_") -> None:
            token = f"{prefix}{name}_{self.random.getrandbits(200):x}"
            former.tokens[name] = token
            digest = hashlib.sha256(token.encode())
            hash = {"hex": digest.hexdigest(), "upper": digest.hexdigest().upper(), "named": f"sha256:{digest.hexdigest()}", "base64": base64.b64encode(digest.digest()).decode(),
                    "bcrypt": "$2b$12$abcdefghijklmnopqrstuv", "hmac": f"hmac-sha256:{digest.hexdigest()}", "pbkdf2": f"pbkdf2_sha256$1000$salt${digest.hexdigest()}"}[form]  # fmt: skip
            ids[f"key:{name}"] = self.uuid()
            keys.append((ids[f"key:{name}"], hash, prefix, owner, org, name, scopes, expires, revoked, "2025-05-05 05:05:05+00", {"note": "ü"}, *TIMES))

        for number in range(self.scale // 2):
            key(f"k{number}", ids[f"account{number}"], None, ["accounts:self"], form=["hex", "upper", "named", "base64"][number % 4])
        key("good", ids["account1"], ids["org1"], ["graphs:read", "nodes:*"])
        key("words", ids["account1"], ids["org1"], ["read", "Nonsense Scope", "nodes:write"])
        key("admin", ids["root"], None, ["*"])
        key("expired", ids["account1"], ids["org1"], ["read"], expires="2022-01-01 00:00:00+00")
        key("later", ids["account1"], ids["org1"], ["read"], expires="2099-01-01 00:00:00+00")
        key("forever", ids["account1"], ids["org1"], ["read"], expires="infinity")
        key("revoked", ids["account1"], ids["org1"], ["read"], revoked="2022-01-01 00:00:00+00")
        key("suspended_org", ids["account9"], ids["suspended"], ["read"])
        key("inactive", ids["account16"], None, ["accounts:self"])
        key("orphan", self.uuid(), None, ["read"])
        key("gone", ids["deleted"], None, ["read"])
        key("no_scopes", ids["account1"], None, None)
        key("no_member", ids["root"], ids["org1"], ["read"])
        key("number", "4711", ids["org1"], ["read"])
        for form in ("bcrypt", "hmac", "pbkdf2"):
            key(form, ids["account1"], None, ["read"], form=form)
        key("ours", ids["account1"], None, ["read"], prefix="brant_")
        self.add("api_keys", "id, key_hash, key_prefix, owner_id, org_id, name, scopes, expires_at, revoked_at, last_used_at, metadata, created_at, updated_at", keys)

        logs: list[tuple[Any, ...]] = []
        for number in range(self.scale * 3):
            detail = [None, {"ip": "127.0.0.1", "ä": "🦊"}, {"before": {"a": 1}, "after": {"a": None}}][number % 3]
            actor = [None, ids[f"account{number % self.scale}"], "worker-1"][number % 3]
            logs.append((f"account.{['created', 'updated'][number % 2]}", ["user", "system", "key"][number % 3], actor, ids[f"org{number % 8}"], f"account:{number}", detail, TIMES[number % 2]))
        logs.append(("big", "user", ids["account1"], None, None, {"big": "w" * 100000}, TIMES[0]))
        self.add("audit_logs", "action, actor_type, actor_id, org_id, resource, detail, created_at", logs)

    def graphs(self) -> None:
        ids = self.former.ids
        types: list[tuple[Any, ...]] = []
        node_types: list[tuple[Any, ...]] = []
        edge_types: list[tuple[Any, ...]] = []

        def type(name: str, config: Any, nodes: dict[str, Any], edges: dict[str, tuple[Any, Any, Any]]) -> None:
            id = ids[f"type:{name}"] = self.uuid()
            types.append((id, name, config, 1, "public", {}))
            for node, schema in nodes.items():
                ids[f"node:{name}:{node}"] = self.uuid()
                node_types.append((ids[f"node:{name}:{node}"], id, node, schema))
            for edge, (schema, source, target) in edges.items():
                ids[f"edge:{name}:{edge}"] = self.uuid()
                edge_types.append((ids[f"edge:{name}:{edge}"], id, edge, schema, source, target))

        person = {"type": "object", "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}}, "required": ["name"]}
        type("social", {"type": "directed", "multi": False, "allowSelfLoops": True}, {"person": person, "CityNode": {"type": "object"}},
             {"knows": ({"type": "object"}, ["person"], ["person"]), "livesIn": ({"type": "object"}, ["person"], ["CityNode"])})  # fmt: skip
        type("plan", {"directed": True, "acyclic": True}, {"StepNode": {"type": "object"}}, {"thenEdge": ({}, None, None)})
        type("pairs", {"directed": "undirected"}, {"Thing": {}}, {"Near": ({}, None, None)})
        type("broken", {"directed": "directed"}, {"Thing": {"type": "no such type"}}, {})
        type("acl", {}, {"PrincipalNode": {}, "GroupNode": {}, "RoleNode": {}, "ResourceNode": {}},
             {"BelongsToEdge": ({}, None, None), "HasRoleEdge": ({}, None, None), "GrantsEdge": ({}, None, None)})  # fmt: skip
        type("secrets", {}, {"SecretNode": {}, "PrincipalNode": {}}, {"MayUseEdge": ({}, None, None)})
        type("calls", {}, {"CallNode": {}}, {"TriggeredEdge": ({}, None, None)})
        type("open", {}, {}, {})
        self.add("graph_types", "id, name, config, version, scope, metadata", types)
        self.add("node_types", "id, graph_type_id, name, schema", node_types)
        self.add("edge_types", "id, graph_type_id, name, schema, allowed_source_types, allowed_target_types", edge_types)

        graphs: list[tuple[Any, ...]] = []
        nodes: list[tuple[Any, ...]] = []
        edges: list[tuple[Any, ...]] = []

        def graph(name: str | None, type: str, org: str | None, status: str = "active", called: str | None = None, created: str = TIMES[0]) -> str:
            id = ids[f"graph:{called or name}"] = self.uuid()
            graphs.append((id, ids.get(f"type:{type}") or self.uuid(), name, org, ids["account1"], "project", status, {"colour": "red"}, created, TIMES[1]))
            return id

        def node(graph: str, key: str, type: str | None, attributes: Any, metadata: Any = None) -> None:
            nodes.append((graph, key, ids[f"node:{type}"] if type else None, attributes, metadata, *TIMES))

        def edge(graph: str, key: str | None, type: str | None, source: str, target: str, attributes: Any = None) -> None:
            edges.append((graph, key, ids[f"edge:{type}"] if type else None, source, target, attributes, None, *TIMES))

        social = graph("social", "social", ids["org1"])
        count = self.scale * 10
        for number in range(count):
            text = self.random.choice(["Ann", "Ünï", "🦊", "O'B\"\\", "line\nbreak\ttab"])
            node(social, f"p{number}", "social:person", {"name": f"{text} {number}", "age": number, "float": number / 7, "large": 2**53 + number, "list": [None, True, {"x": []}]}, {"n": number})
        node(social, "Zürich/ä?\"", "social:CityNode", {"pop": 400000, "blob": "b" * 300000})
        node(social, "nameless", "social:person", {"age": 3})
        node(social, "no object", "social:person", ["a"])
        for number in range(120):
            node(social, f"invalid{number}", "social:person", {"name": ""})
        for number in range(count):
            edge(social, f"e{number}" if number % 2 else None, "social:knows", f"p{number}", f"p{(number * 7 + 1) % count}", {"w": number / 3})
        edge(social, "loop", "social:knows", "p1", "p1")
        edge(social, "city", "social:livesIn", "p1", "Zürich/ä?\"")
        edge(social, "wrong end", "social:livesIn", "p1", "p2")
        edge(social, "orphan", "social:knows", "p1", "nobody")
        circular = graph("circle", "plan", ids["org1"])
        for number in range(5):
            node(circular, f"s{number}", "plan:StepNode", {})
            edge(circular, None, "plan:thenEdge", f"s{number}", f"s{(number + 1) % 5}")
        undirected = graph("pairs", "pairs", ids["org2"])
        for key in ("b", "a", "c"):
            node(undirected, key, "pairs:Thing", None)
        edge(undirected, None, "pairs:Near", "b", "a", {"w": 1})
        edge(undirected, "own", "pairs:Near", "c", "b")
        loose = graph("loose", "open", None)
        for key in ("x", "y"):
            node(loose, key, None, {"any": key})
        edge(loose, None, None, "x", "y")
        twin = graph("social", "open", ids["org1"], called="twin", created=TIMES[1])
        node(twin, "only", None, {})
        graph(None, "open", ids["org1"], called="nameless")
        archived = graph("archive", "open", ids["org3"], "archived")
        node(archived, "old", None, {})
        removed = graph("removed", "open", ids["org3"], "deleted")
        node(removed, "old", None, {})
        node(graph("broken", "broken", ids["org1"]), "n", "broken:Thing", {})
        node(graph("typeless", "no such", ids["org1"]), "n", None, {})
        node(graph("lost", "open", ids["empty"]), "n", None, {})
        node(graph("paused", "open", ids["suspended"]), "n", None, {"kept": True})
        node(graph("left alone", "plan", ids["soled"]), "n", "plan:StepNode", {})
        node(self.uuid(), "of no graph", None, {})

        acl = graph("permissions", "acl", ids["org1"])
        node(acl, f"account:{ids['account1']}", "acl:PrincipalNode", {"kind": "account", "accountId": ids["account1"]})
        node(acl, "account:4711", "acl:PrincipalNode", {"kind": "account", "accountId": "4711"})
        node(acl, "editors", "acl:RoleNode", {"name": "Editors"})
        node(acl, "graph:social", "acl:ResourceNode", {"kind": "graph"})
        node(acl, f"org:{ids['org1']}", "acl:GroupNode", {"orgId": ids["org1"]})
        edge(acl, None, "acl:BelongsToEdge", f"account:{ids['account1']}", f"org:{ids['org1']}", {"derived": True, "level": "owner"})
        edge(acl, None, "acl:HasRoleEdge", f"account:{ids['account1']}", "editors")
        edge(acl, None, "acl:HasRoleEdge", "account:4711", "editors", {"expiresAt": "2020-01-01T00:00:00Z"})
        edge(acl, None, "acl:GrantsEdge", "editors", "graph:social", {"scopes": ["nodes:write"]})
        vault = graph("vault", "secrets", ids["org1"])
        for number, value in enumerate(("hunter2", {"user": "a", "pass": "ü🦊"}, 42, [1, 2])):
            self.former.secrets[f"s{number}"] = value
            node(vault, f"s{number}", "secrets:SecretNode", {"value": envelope(value, 1 + number % 2), "description": "old"})
        spoiled = envelope("lost")
        spoiled["data"] = base64.b64encode(b"x" * 40).decode()
        node(vault, "spoiled", "secrets:SecretNode", {"value": spoiled})
        node(vault, "ann", "secrets:PrincipalNode", {"name": "Ann", "kind": "account"})
        edge(vault, None, "secrets:MayUseEdge", "ann", "s0", {"actions": ["read"], "expiresAt": "2099-01-01T00:00:00Z"})
        calls = graph("trace", "calls", ids["org1"])
        for number in range(50):
            node(calls, f"r{number}", "calls:CallNode", {"requestId": f"r{number}", "operationId": "nodes.put", "status": "completed", "requestedAt": "2024-01-01T00:00:00.123Z", "output": None})
            if number:
                edge(calls, None, "calls:TriggeredEdge", f"r{(number - 1) // 3}", f"r{number}")
        self.add("graphs", "id, graph_type_id, name, org_id, owner_id, project_id, status, metadata, created_at, updated_at", graphs)
        self.random.shuffle(nodes)
        self.random.shuffle(edges)
        self.add("nodes", "graph_id, key, node_type_id, attributes, metadata, created_at, updated_at", nodes)
        self.add("edges", "graph_id, key, edge_type_id, source_key, target_key, attributes, metadata, created_at, updated_at", edges)


def streams(url: str, count: int) -> int:
    """Streams with groups at various places; how many entries."""
    client = redis.Redis.from_url(url)
    client.flushall()
    pipe = client.pipeline()
    for number in range(count):
        pipe.xadd("call-protocol", {"type": "call.requested", "payload": json.dumps({"n": number, "ü": "🦊"}), "n": str(number)}, id=f"{1000 + number // 3}-{number % 3 + 1}")
    pipe.execute()
    client.execute_command("XADD", "session-events", "5-1", "twice", "a", "twice", "b", b"\xff\xfe", b"\x00\xff")
    client.xadd("session-events", {"huge": "h" * 500000})
    client.xgroup_create("call-protocol", "projector", "0")
    client.xreadgroup("projector", "p1", {"call-protocol": ">"}, count=count // 2)
    first = client.xrange("call-protocol", count=count // 2)
    client.xack("call-protocol", "projector", *(id for at, (id, _) in enumerate(first) if at % 10))
    client.xgroup_create("call-protocol", "fresh", "$")
    client.xgroup_create("call-protocol", "start", "0")
    client.xgroup_create("call-protocol", "done", "0")
    client.xreadgroup("done", "d", {"call-protocol": ">"}, count=count)
    client.xack("call-protocol", "done", *(id for id, _ in client.xrange("call-protocol")))
    client.xgroup_create("call-protocol", "trimmed", "0")
    client.xreadgroup("trimmed", "t", {"call-protocol": ">"}, count=5)
    client.xdel("call-protocol", client.xrange("call-protocol", count=1)[0][0])
    client.xgroup_create("empty", "waiting", "$", mkstream=True)
    client.set("no stream", "x")
    client.close()
    return count - 1 + 2


def make(postgres: str, url: str, scale: int = 200) -> Former:
    """Fill both."""
    with psycopg.connect(postgres) as connection:
        connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        connection.execute(TABLES)
        maker = _Maker(connection, scale)
        maker.identity()
        maker.graphs()
    former = maker.former
    former.rows += streams(url, scale * 10)
    return former
