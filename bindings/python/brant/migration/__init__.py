"""Migration in: from the former deployment of PostgreSQL and Redis, and from files of other graph libraries.

    python -m brant.migration map > mapping.toml        # then edit: tables, columns, values, streams
    python -m brant.migration run export/ hub/ --hub --ring ring.json --mapping mapping.toml --postgres "dbname=app" --redis redis://127.0.0.1
    python -m brant.migration verify export/ hub/ --ring ring.json --postgres "dbname=app"

It needs psycopg and redis-py (``pip install brant[migration]``). `export` writes a folder of NDJSON with a manifest of counts and SHA-256 checksums, `import` reads it into a file or a hub, `verify` holds source, folder and
target against each other, row by row. Each can be killed and called again, and goes on where it was, with nothing lost or there twice.

What holds afterwards: accounts, organizations and graphs keep their ids (those that are no UUIDs become UUIDv5, always the same); keys authenticate by the tokens that people have; the audit log's history stands
in the new chain; graphs satisfy their types' schemas; older envelopes in encrypted attributes are sealed anew, and open elsewhere; events of streams keep order and ids, groups their position. Times of
creation and change, which the library sets, stand in ``metadata.migrated``. Whatever was changed, left out or rejected has a line in the report, and a row in the table ``migration_notes``.

    python -m brant.migration graph plan.gpickle app.db --graph plan      # or brant.migration.read(db, "plan.gpickle", graph="plan")

`graph` takes one graph: a NetworkX pickle (nothing in it is run), node-link JSON, graphology's JSON, an MCP memory server's JSONL, or the folder that Kuzu's or LadybugDB's EXPORT DATABASE wrote (`brant.migration.kuzu_export`).
"""

from .errors import MigrationError
from .files import document, kind_of, kuzu, networkx, read
from .folder import Folder
from .importer import import_
from .mapping import Mapping, default_text, load
from .source import export
from .target import ring_text
from .verify import PartReport, verify

__all__ = ["Folder", "Mapping", "MigrationError", "PartReport", "default_text", "document", "export", "import_", "kind_of", "kuzu", "load", "networkx", "read", "ring_text", "verify"]
