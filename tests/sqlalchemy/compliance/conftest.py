"""SQLAlchemy's own compliance suite for dialects, as its README.dialects.rst has third-party dialects run it."""

from typing import Any

import pytest

pytest.register_assert_rewrite("sqlalchemy.testing.assertions")

import sqlalchemy.dialects.sqlite.provision  # noqa: E402, F401
from sqlalchemy.testing import config  # noqa: E402
from sqlalchemy.testing.plugin.pytestplugin import *  # noqa: E402, F403
from sqlalchemy.testing.provision import stop_test_class_outside_fixtures, temp_table_keyword_args, upsert  # noqa: E402

import brant.sqlalchemy  # noqa: E402, F401  (registers the dialects, as the wheel's entry points do)

# The suite asks by the URL's name how SQLite spells these; we spell them as SQLite's own dialect.


@temp_table_keyword_args.for_db("brant")
def temporary(config: Any, engine: Any) -> dict[str, list[str]]:
    return {"prefixes": ["TEMPORARY"]}


@upsert.for_db("brant")
def upserting(*arguments: Any, **options: Any) -> Any:
    return upsert.fns["sqlite"](*arguments, **options)


@stop_test_class_outside_fixtures.for_db("brant")
def stop(config: Any, db: Any, cls: Any) -> None:
    db.dispose()


def pytest_collection(session: Any) -> None:
    """Some tests use the second schema without asking whether there may be one: give them the one that every file has."""
    for each in config.Config.all_configs():
        each.test_schema = "main"
    config.test_schema = "main"
