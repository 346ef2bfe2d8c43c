"""A mapping file: what is wrong in it is said with line and member, and one of another layout works."""

from __future__ import annotations

import json
from pathlib import Path

import brant
import brant.migration as migration
import former
import psycopg
import pytest
from conftest import ring
from servers import Servers

FAULTS = [
    ("[accounts]\ntabel = 'x'\n", ":2: accounts.tabel: is unknown"),
    ("[accounts.columns]\nid = 'id'\nmail = 'email'\n", ":3: accounts.columns.mail: is no member of accounts"),
    ("[nodes]\ncolumns = { key = false }\n", ":2: nodes.columns.key: cannot be left out"),
    ("\n[members.values.level]\nboss = 'king'\n", ':3: members.values.level.boss: "king" is none of admin, member, owner, viewer'),
    ("[ids]\nnamespace = 'x'\n", ":2: ids.namespace: must be a UUID"),
    ("[[streams]]\nredis = '*'\nkey = 'name'\n", ':3: streams.key: "name" is neither id nor field:<name>'),
    ("[nonsense]\n", ":1: nonsense: is unknown"),
    ("[accounts\n", "line 1"),
    ("[accounts.values.level]\na = 'b'\n", ":1: accounts.values.level: has no translations"),
    ("[audit]\naction_prefix = 3\n", ":2: audit.action_prefix: must be a text"),
    ("[attributes.a]\nB = 1\n", ":2: attributes.a.B: must be a table"),
]


@pytest.mark.parametrize(("text", "message"), FAULTS)
def test_faults_name_line_and_member(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(text)
    with pytest.raises(migration.MigrationError) as caught:
        migration.load(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "mapping.json"
    path.write_text(json.dumps({"accounts": {"table": "people"}}))
    assert migration.load(path).table("accounts")["table"] == "people"
    path.write_text('{"accounts":\n {"table": 3}}')
    with pytest.raises(migration.MigrationError, match="accounts.table"):
        migration.load(path)
    path.write_text('{"accounts":\n oops}')
    with pytest.raises(migration.MigrationError, match=":2:"):
        migration.load(path)


def test_names_that_the_database_has_not(servers: Servers, made: former.Former, tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    for text, message in (
        ("[accounts.columns]\nname = 'fullname'\n", ':2: accounts.columns.name: there is no column "fullname"; there are: id, email, display_name'),
        ("[audit]\ntable = 'history'\n", ':2: audit.table: PostgreSQL says: relation "history" does not exist'),
        ("[nodes]\nquery = 'SELEC 1'\n", ":2: nodes.query: PostgreSQL says: syntax error"),
    ):
        path.write_text(text)
        with pytest.raises(migration.MigrationError) as caught:
            migration.export(str(tmp_path / "out"), migration.load(path), servers.postgres)
        assert message in str(caught.value)


def test_another_layout(servers: Servers, made: former.Former, tmp_path: Path) -> None:
    """Numbers for ids, bytes for hashes, words for scopes, text for JSON, ms for times; queries in place of tables."""
    import hashlib

    token = "sk-live-0123456789abcdef0123456789"
    with psycopg.connect(servers.postgres) as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS other")
        connection.execute("CREATE TABLE IF NOT EXISTS other.people (nr bigint, mail text, born_ms bigint, extra text)")
        connection.execute("CREATE TABLE IF NOT EXISTS other.teams (nr bigint, handle text, boss bigint)")
        connection.execute("CREATE TABLE IF NOT EXISTS other.keys (nr bigint, sha bytea, who bigint, team bigint, may text[])")
        connection.execute("TRUNCATE other.people, other.teams, other.keys")
        connection.execute("""INSERT INTO other.people VALUES (1, 'a@example.com', 1700000000000, '{"k": 1}'), (2, 'b@example.com', NULL, 'no json')""")
        connection.execute("INSERT INTO other.teams VALUES (10, 'ten', 1)")
        connection.execute("INSERT INTO other.keys VALUES (100, %s, 1, 10, '{get,put}')", (hashlib.sha256(token.encode()).digest(),))
    path = tmp_path / "mapping.toml"
    off = "\n".join(f"[{name}]\nenabled = false" for name in ("audit", "graph_types", "node_types", "edge_types", "graphs", "nodes", "edges"))
    path.write_text(f"""
[accounts]
table = "other.people"
columns = {{ id = "nr", email = "mail", name = false, access_level = false, status = false, metadata = "extra", created_at = "born_ms", updated_at = false, deleted_at = false }}
[organizations]
table = "other.teams"
columns = {{ id = "nr", slug = "handle", name = false, owner_id = "boss", status = false, metadata = false, created_at = false, updated_at = false, deleted_at = false }}
[members]
query = "SELECT nr AS org, boss AS who, 'owner' AS lvl FROM other.teams;"
columns = {{ id = false, org_id = "org", account_id = "who", level = "lvl", status = false, created_at = false, updated_at = false }}
[api_keys]
table = "other.keys"
columns = {{ id = "nr", hash = "sha", prefix = false, owner_id = "who", org_id = "team", name = false, scopes = "may", expires_at = false, revoked_at = false, last_used_at = false, metadata = false, created_at = false, updated_at = false }}
[api_keys.values.scopes]
get = "nodes:read"
put = "nodes:write"
{off}
""")
    mapping = migration.load(path)
    migration.export(str(tmp_path / "out"), mapping, servers.postgres)
    migration.import_(str(tmp_path / "out"), str(tmp_path / "app.db"), ring=json.dumps(ring()))
    assert all(report.ok for report in migration.verify(str(tmp_path / "out"), str(tmp_path / "app.db"), ring=json.dumps(ring()), postgres=servers.postgres))
    with brant.open(tmp_path / "app.db") as db:
        db.keyring(ring())
        who = db.authenticate(token)
        assert who.scopes == ["nodes:read", "nodes:write"] and who.organization is not None and who.organization.slug == "ten"
        assert who.account.metadata == {"k": 1, "migrated": {"created_at": 1700000000000, "id": 1}}
        assert who.account.id == mapping.uuid("accounts", 1)
        assert db.accounts.find("b@example.com").metadata == {"value": "no json", "migrated": {"id": 2}}
