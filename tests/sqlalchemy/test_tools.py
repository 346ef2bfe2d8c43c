"""Alembic's migrations and pandas' tables run through the dialect."""

from __future__ import annotations

import textwrap
from pathlib import Path

import alembic
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from conftest import Base
from sqlalchemy import Engine, inspect, text

import brant


def test_alembic(tmp_path: Path, path: Path, engine: Engine) -> None:
    print("Alembic", alembic.__version__)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE orders"))
        connection.execute(text("DROP TABLE customers"))
    config = Config(str(tmp_path / "alembic.ini"))
    folder = tmp_path / "migrations"
    command.init(config, str(folder), "generic")
    config = Config(str(tmp_path / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", f"brant:///{path}")
    environment = folder / "env.py"
    environment.write_text(
        environment.read_text()
        .replace("target_metadata = None", "from conftest import Base\n\ntarget_metadata = Base.metadata")
        .replace("connection=connection,", "connection=connection, render_as_batch=True,")
    )
    command.revision(config, "tables", autogenerate=True, rev_id="1")
    (written,) = folder.glob("versions/1_*.py")
    assert "create_table('customers'" in written.read_text() and "jobs" not in written.read_text()
    command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO customers(name) VALUES ('ann')"))
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    (folder / "versions/2_mail.py").write_text(
        textwrap.dedent("""
            import sqlalchemy as sa
            from alembic import op

            revision, down_revision = "2", "1"

            def upgrade():
                with op.batch_alter_table("customers", recreate="always") as table:
                    table.add_column(sa.Column("mail", sa.String, nullable=False, server_default="none"))
                op.get_bind().connection.brant.queue("mail").enqueue("migrated")

            def downgrade():
                with op.batch_alter_table("customers") as table:
                    table.drop_column("mail")
        """)
    )
    (folder / "versions/3_wrong.py").write_text(
        textwrap.dedent("""
            from alembic import op

            revision, down_revision = "3", "2"

            def upgrade():
                op.execute("CREATE TABLE half (id)")
                op.execute("CREATE TABLE half (id)")
        """)
    )
    command.upgrade(config, "2")
    assert [column["name"] for column in inspect(engine).get_columns("customers")] == ["id", "name", "mail"]
    with pytest.raises(Exception, match="already exists"):
        command.upgrade(config, "head")
    assert not inspect(engine).has_table("half")  # a migration that fails leaves nothing
    command.downgrade(config, "1")
    with brant.open(path) as db:
        assert db.execute("SELECT id, name FROM customers").rows == [(1, "ann")] and db.queue("mail").stats().ready == 1
        assert db.execute("SELECT version_num FROM alembic_version").scalar() == "1"
        assert db.doctor().ok


def test_pandas(engine: Engine) -> None:
    pandas = pytest.importorskip("pandas")
    print("pandas", pandas.__version__)
    frame = pandas.DataFrame({
        "n": range(25_000), "x": [n / 7 for n in range(25_000)], "t": [f"é{n}" for n in range(25_000)],
        "when": pandas.date_range("2026-01-01", periods=25_000, freq="min"),
    })  # fmt: skip
    assert frame.to_sql("measured", engine, index=False) == 25_000
    back = pandas.read_sql("SELECT * FROM measured ORDER BY n", engine, parse_dates=["when"])
    pandas.testing.assert_frame_equal(back, frame, check_dtype=False)
    parts = list(pandas.read_sql("SELECT n FROM measured", engine, chunksize=10_000))
    assert [len(part) for part in parts] == [10_000, 10_000, 5_000]
