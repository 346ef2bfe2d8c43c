"""Documents out and in: pages joined, files streamed."""

from __future__ import annotations

import io
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, TYPE_CHECKING, Any, Literal

from . import _native
from ._batch import FAULTS
from .errors import Denied
from .records import Json
from .results import Fault, Imported, imported

if TYPE_CHECKING:
    from .database import Database

ExportFormat = Literal["graphology", "node_link", "ndjson", "csv", "graphml", "dot", "mermaid", "otlp", "memory"]
ImportFormat = Literal["graphology", "node_link", "ndjson", "csv", "otlp", "memory"]


def _pages(database: Database, members: Json, until: int | None) -> Iterator[str]:
    """The texts of all pages, inside the caller's transaction."""
    cursor = None
    while True:
        page = database._call(_native.brant_graph_export, members if cursor is None else {**members, "cursor": cursor}, until)
        yield page["text"]
        cursor = page["cursor"]
        if cursor is None:
            return


@contextmanager
def _one_moment(database: Database) -> Iterator[None]:
    """A read transaction. A session that may have none goes on without: a change meanwhile is a Conflict."""
    with ExitStack() as stack:
        with suppress(Denied):
            stack.enter_context(database.transaction("read"))
        yield


def export_text(database: Database, members: Json, until: int | None) -> str:
    with _one_moment(database):
        return "".join(_pages(database, members, until))


def export_to(database: Database, members: Json, until: int | None, file: str | os.PathLike[str] | IO[Any]) -> None:
    if not isinstance(file, (str, os.PathLike)):
        binary = isinstance(file, (io.RawIOBase, io.BufferedIOBase)) or "b" in getattr(file, "mode", "")
        with _one_moment(database):
            for text in _pages(database, members, until):
                file.write(text.encode() if binary else text)
        return
    path = os.path.realpath(os.fspath(file))
    with _one_moment(database):
        pages = _pages(database, members, until)
        first = next(pages)  # what is wrong with the call is known before a file is made
        with _whole(path) as output:
            output.write(first.encode())
            for text in pages:
                output.write(text.encode())


@contextmanager
def _whole(path: str) -> Iterator[IO[bytes]]:
    """A file that is at its path when it is whole, with the permissions that it had or that open() gives."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as output:  # a device or pipe is written to, never replaced
            yield output
        return
    folder, name = os.path.split(path)
    temporary = os.path.join(folder, f".{name}.{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb") as output:
            with suppress(FileNotFoundError):
                os.chmod(temporary, os.stat(path).st_mode & 0o777)
            yield output
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def import_text(
    database: Database, members: Json, progress: Callable[[Imported], object] | None, until: int | None
) -> Imported:  # fmt: skip
    answer = imported(database._call(_native.brant_graph_import, members, until))
    if progress is not None:
        progress(answer)
    return answer


def import_path(
    database: Database,
    members: Json,
    max_batches: int | None,
    resume: bool | None,
    progress: Callable[[Imported], object] | None,
    until: int | None,
) -> Imported:
    """One call where nobody watches, else one for each batch."""
    if resume is not None:
        members["resume"] = resume
    if progress is None or max_batches is not None and max_batches < 1:
        if max_batches is not None:
            members["max_batches"] = max_batches
        return imported(database._call(_native.brant_graph_import, members, until))
    items: list[Fault] = []
    batches = 0
    while True:
        answer = imported(database._call(_native.brant_graph_import, {**members, "max_batches": 1}, until))
        items = answer.items = (items + answer.items)[:FAULTS]  # a call tells of its own; its numbers are the whole import's
        batches += 1
        progress(answer)
        if answer.done or batches == max_batches:
            return answer
        members["resume"] = True
