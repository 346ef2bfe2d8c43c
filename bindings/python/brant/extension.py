"""brant as a loadable extension: its operations as SQL functions on somebody else's SQLite connection."""

from __future__ import annotations

from pathlib import Path

from .errors import Unsupported

_FILE = Path(__file__).parent / "_extension" / "brant.so"


def extension_path() -> str:
    """Where the loadable extension is, without its suffix: what ``sqlite3.Connection.load_extension`` and SQLite's own ``load_extension()`` take.

    ::

        connection.enable_load_extension(True)
        connection.load_extension(brant.extension_path())
        connection.enable_load_extension(False)

    It uses the SQLite of the connection that loads it, and nothing of this module: ``brant.open`` in the same process must not open the
    same file. Raises :class:`Unsupported` where the package was built without it.
    """
    if not _FILE.is_file():
        raise Unsupported(f"this package has no loadable extension: there is no {_FILE}")
    return str(_FILE.with_suffix(""))
