"""Queries on SQLite and DuckDB, which read that database alone and change nothing."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from shoal.cli import main
from shoal.data.readers import ReadOptions, read_path, read_table
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError, SettingError

MEMORY = "shoal.data.readers.room.available_memory"
ROWS = [(i, i / 2, "ab"[i % 2]) for i in range(30)]


@pytest.fixture(params=["a.sqlite", "a.duckdb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A database with the tables t and more."""
    path, kinds = tmp_path / str(request.param), "n INTEGER, f DOUBLE, s VARCHAR"
    if path.suffix == ".sqlite":
        connection = closing(sqlite3.connect(path))
    else:
        connection = pytest.importorskip("duckdb").connect(path)
    with connection as open_database:
        open_database.execute(f"CREATE TABLE t ({kinds})")
        open_database.executemany("INSERT INTO t VALUES (?, ?, ?)", ROWS)
        open_database.execute(f"CREATE TABLE more ({kinds})")
        open_database.commit()
    return path


def test_a_query_says_which_rows_are_read(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = database.read_bytes()
    with pytest.raises(SeveralTables, match=r"more \(0 rows\)"):
        read_table(database)
    query = "SELECT s, avg(f) AS mean FROM t WHERE n > 1 GROUP BY s ORDER BY s;"
    assert read_table(database, ReadOptions(query=query)).rows() == [("a", 7.5), ("b", 8.0)]
    assert main(["describe", str(database), "--query", "SELECT n, f FROM t -- all", "--target", "f"]) == 0
    assert "30 rows, 2 columns" in capsys.readouterr().out
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE t",
        "INSERT INTO t VALUES (1, 2.0, 'c')",
        "SELECT 1; DROP TABLE t",
        "ATTACH '{folder}/other.db' AS other",
        "PRAGMA journal_mode = WAL",
        "COPY t TO '{folder}/other.csv'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT nothing FROM t",
        "",
        "SELECT * FROM t) UNION SELECT * FROM (SELECT * FROM read_text('/etc/passwd')",
    ],
)
def test_a_query_does_nothing_but_read(database: Path, query: str) -> None:
    before = database.read_bytes()
    with pytest.raises((SettingError, DataError), match="query: "):
        read_table(database, ReadOptions(query=query.format(folder=database.parent)))
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_a_query_is_bounded(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {}) SELECT * FROM r"
    rows = 1_000_000 if database.suffix == ".sqlite" else 20_000
    # what is free shrinks with each look, as it does while rows are read
    sizes = iter(range(30_000_000, 0, -500_000))
    monkeypatch.setattr(MEMORY, lambda: next(sizes) if database.suffix == ".sqlite" else 2_000_000)
    with pytest.raises((DataError, SettingError), match=r"rows.*: reading it takes about .* of memory|memory"):
        read_table(database, ReadOptions(query=endless.format(rows)))


def test_queries_are_for_databases(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    with pytest.raises(SettingError, match=r"query: .*a\.csv is no database; conditions on rows"):
        read_path(tmp_path / "a.csv", ReadOptions(query="SELECT x FROM t"))
    with pytest.raises(SettingError, match="query and table both say"):
        ReadOptions(query="SELECT 1", table="t")
    with closing(sqlite3.connect(tmp_path / "a.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
        connection.execute("INSERT INTO t VALUES (1)")
        connection.commit()
    with pytest.raises(DataError, match=r"gives two columns 'x'; name one of them with AS"):
        read_path(tmp_path / "a.db", ReadOptions(query="SELECT x, x FROM t"))


def test_types_of_duckdb(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    with duckdb.connect(tmp_path / "a.db") as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        connection.execute(
            "CREATE TABLE t (n TINYINT, d DECIMAL(9, 2), day DATE, moment TIMESTAMPTZ, e mood, b BOOLEAN, l INTEGER[], "
            "s STRUCT(a INTEGER), y BLOB, es mood[])"
        )
        row = "1, 1.25, '2020-02-29', '2020-01-01 10:00:00+01', 'ok', true, [1], {'a': 1}, 'x'::BLOB, ['ok']"
        connection.execute(f"INSERT INTO t VALUES ({row}), ({', '.join(['NULL'] * 10)})")
    content = read_path(tmp_path / "a.db", ReadOptions())
    day, moment = datetime.datetime(2020, 2, 29), datetime.datetime(2020, 1, 1, 9)
    assert content.table.rows() == [(1, 1.25, day, moment, "ok", True), (None,) * 6]
    assert content.notes[0].startswith("Left out l (integer[]), s (struct(a integer)), y (blob), es (enum(")


def test_a_missing_package_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *_: None if name == "duckdb" else known(name))
    (tmp_path / "a.duckdb").write_bytes(bytes(8) + b"DUCK" + bytes(100))
    with pytest.raises(DataError, match=r"DuckDB files need .* pip install 'shoal\[duckdb\]'"):
        read_table(tmp_path / "a.duckdb")
