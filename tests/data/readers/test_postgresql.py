"""PostgreSQL: what a real server holds is read, and nothing is written, run, or kept of a password."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.cli import main
from shoal.data.readers import ReadOptions, read_files
from shoal.data.readers.tables.chosen_table import SeveralTables
from shoal.errors import DataError, SettingError

dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi")
pytest.importorskip("pyarrow")
SHOTS = """CREATE TABLE shots AS SELECT i AS id, i * 0.5 AS x, sin(i)::real AS y, i % 3 = 0 AS good,
    'a' || i % 4 AS kind, CASE WHEN i % 4 = 0 THEN NULL ELSE i::numeric(10, 2) END AS price,
    date '2024-01-01' + i AS day,
    timestamp '2024-01-01 10:00' + i * interval '1 hour' AS at, gen_random_uuid() AS key, array[1, 2] AS pair,
    '{}'::json AS note FROM generate_series(1, 100) AS i"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Start a server of its own in a temporary folder, as the user postgres where tests run as root."""
    found = shutil.which("initdb") or next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))), None)
    if found is None:
        pytest.skip("there is no PostgreSQL server")
    programs, folder = Path(found).resolve().parent, Path(tempfile.mkdtemp())
    other: dict[str, Any] = {}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
        other = {"user": "postgres"}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    run: dict[str, Any] = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **other}
    control = [str(programs / "pg_ctl"), "-D", str(folder / "data"), "-w"]
    subprocess.run([str(programs / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "lab", "-N"], **run)
    log = ["-l", str(folder / "log"), "-o", f"-p {port} -k {folder} -c fsync=off"]
    subprocess.run([*control, *log, "start"], **run)
    try:
        yield f"postgresql://lab@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **run)
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def database(server: str) -> str:
    with dbapi.connect(server) as connection, connection.cursor() as cursor:
        cursor.execute(SHOTS)
        cursor.execute("CREATE SEQUENCE counter")
        cursor.execute("CREATE VIEW late AS SELECT * FROM shots WHERE id > 50")
        connection.commit()
    return server


@pytest.mark.slow
def test_values_nulls_and_kinds_are_those_of_the_server(database: str) -> None:
    content = read_files(database, ReadOptions(query="SELECT * FROM shots ORDER BY id;"))
    table = content.table
    assert table["id"].to_list() == list(range(1, 101))
    np.testing.assert_allclose(table["x"], 0.5 * np.arange(1, 101))
    np.testing.assert_allclose(table["y"], np.sin(np.arange(1, 101)), rtol=1e-6)
    assert table["price"].to_list()[:4] == [1.0, 2.0, 3.0, None]
    assert table["good"].to_list()[:3] == [False, False, True]
    assert [str(value) for value in table.select("day", "at").row(0)] == ["2024-01-02", "2024-01-01 11:00:00"]
    assert len(table["key"][0]) == 36
    assert content.notes == ("Left out pair (int4 lists), note (json).",)
    with pytest.raises(SeveralTables, match=r"late \(50 rows\); shots \(100 rows\)"):
        read_files(database, ReadOptions())
    assert read_files(database, ReadOptions(table="late")).table.height == 50
    with pytest.raises(DataError, match="has no table 'shot'; it has: late, shots"):
        read_files(database, ReadOptions(table="shot"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        "DROP TABLE shots",
        "CREATE TABLE more (a int)",
        "WITH gone AS (DELETE FROM shots RETURNING *) SELECT * FROM gone",
        "SELECT 1; DROP TABLE shots",
        "COPY shots TO PROGRAM 'touch {}'",
        "SELECT 1) TO PROGRAM 'touch {}' --",
        "SELECT 1) AS q; COPY shots TO PROGRAM 'touch {}' --",
        "SELECT set_config('transaction_read_only', 'off', false)",
        "SELECT nextval('counter')",
        "SELECT id, id FROM shots",
        "SELECT * FROM shots WHERE id > 1000",
        "SELEKT 1",
    ],
)
def test_queries_that_write_or_are_none_are_refused(database: str, query: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises((SettingError, DataError)):
        read_files(database, ReadOptions(query=query.format(tmp_path / "run")))
    assert not list(tmp_path.iterdir())
    assert read_files(database, ReadOptions(table="shots")).table.height == 100


@pytest.mark.slow
def test_a_fit_from_a_query_predicts_from_one(database: str, tmp_path: Path, tiny: dict[str, Any]) -> None:
    query = "SELECT x, y, kind FROM shots ORDER BY id"
    run = shoal.fit(database, query=query, target="y", page=False, out=str(tmp_path / "run"), **tiny)
    assert len(run.predict(database, ReadOptions(query=query)).mean) == 100
    out = str(tmp_path / "out.csv")
    assert main(["predict", str(run.path), database, "--query", query, "-o", out, "-q"]) == 0
    assert main(["describe", database, "--table", "shots"]) == 0


def test_a_password_or_a_server_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    for address in ("postgresql://lab:secret@host/shots", "postgresql://host/shots?password=secret"):
        with pytest.raises(SettingError, match="pgpass") as caught:
            read_files(address, ReadOptions(table="shots"))
        assert "secret" not in str(caught.value)
    assert main(["describe", "postgresql://lab@127.0.0.1:1/shots"]) == 2
    assert "cannot be read" in capsys.readouterr().err
