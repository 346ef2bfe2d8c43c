"""``python -m brant worker module:app``: works off the tasks of a program. ``python -m brant info app.db`` and so on: the command ``brant``."""

from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from typing import Any

from ._command import execute
from .database import Database
from .errors import Unsupported
from .services import Service, run

ABOUT = """\
Work off the tasks that a module registers, until SIGTERM or SIGINT: then what runs has its grace, and the second signal ends it at once.

MODULE:NAME is an open brant.Database (`db = brant.open("app.db")`), or a function that returns one; importing the module registers its tasks."""


def application(name: str) -> Database:
    """The database that is so named, with the tasks of its module."""
    module, _, attribute = name.partition(":")
    sys.path.insert(0, os.getcwd())
    found: Any = importlib.import_module(module)
    for part in (attribute or "db").split("."):
        found = getattr(found, part)
    if callable(found) and not isinstance(found, Database):
        found = found()
    if not isinstance(found, Database):
        raise TypeError(f"{name} is no brant.Database, and does not return one")
    return found


def work(arguments: argparse.Namespace) -> int:
    logging.basicConfig(level=arguments.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    with application(arguments.application) as database:
        names = arguments.queues.split(",") if arguments.queues else sorted(database._tasks)
        if not names:
            raise LookupError("the module registers no task: give one a @db.task()")
        if missing := [name for name in names if not database._tasks.get(name)]:
            raise LookupError(f"no task is registered with queue {missing[0]!r}")
        services: list[Service] = [
            database.queue(name).worker(concurrency=arguments.concurrency, grace=arguments.grace, lease=arguments.lease) for name in names
        ]
        if arguments.scheduler:
            services.append(database.scheduler())
        for name in names:
            logging.getLogger("brant").info("queue %s: %s", name, ", ".join(sorted(database._tasks[name])))
        run(*services)
    return 0


def main(given: list[str] | None = None) -> int:
    given = sys.argv[1:] if given is None else given
    if given and given[0] not in ("worker", "-h", "--help"):
        try:
            execute(given)
        except Unsupported as error:
            print(f"python -m brant: {error}", file=sys.stderr)
            return 2
    parser = argparse.ArgumentParser(
        prog="python -m brant",
        description="Works off the tasks of a program, with worker; with anything else it becomes the command brant: python -m brant help.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    worker = commands.add_parser("worker", help="work off tasks", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    worker.add_argument("application", metavar="MODULE:NAME", help="where the database is; NAME is db unless it is given")
    worker.add_argument("--queues", "-q", metavar="A,B", help="the queues to work off (all that have tasks)")
    worker.add_argument("--concurrency", "-c", type=int, default=1, metavar="N", help="how many jobs of each queue at once (1)")
    worker.add_argument("--grace", type=float, default=30.0, metavar="SECONDS", help="what runs when it is stopped has so long to end (30)")
    worker.add_argument("--lease", type=float, default=None, metavar="SECONDS", help="a worker that dies loses its jobs after so long (the queue's)")
    worker.add_argument("--scheduler", "-s", action="store_true", help="fire what is due of @db.periodic, too")
    worker.add_argument("--log-level", default="info", choices=["debug", "info", "warning", "error"])
    arguments = parser.parse_args(given)
    try:
        return work(arguments)
    except (ImportError, AttributeError, LookupError, TypeError, ValueError) as error:
        if isinstance(error, ImportError) and error.name != arguments.application.partition(":")[0]:
            raise
        print(f"{parser.prog}: {error.args[0] if error.args else error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
