"""`log.sqlite`: every network of a run and all of its learning curves, for any tool that reads SQLite.

Tables: `meta` (key, value), `candidates` (one row each; `candidate` is JSON with all hyperparameters, `score` the
mean over its networks with its standard error), `networks` (one row each, with the fold and the repeat of its
candidate), `curves` (one row per network and epoch, up to the epoch at which the network stopped) and `replicas` (one
row each, with the network that it repeats and the draw of the targets that it learned from; without curves). `status`
is `running`, `finished`, `stopped_early`, `cut` (the search let it go, since others did better) or `diverged`; up to
format 3 it was a sentence, which is read as its code.
Format 2 had no replicas; in format 1 every candidate was one network, and `candidates` held what `networks` holds now.
"""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.errors import RunError
from shoal.evaluation.log_tables import CANDIDATE_COLUMNS, CURVE_COLUMNS, NETWORK_COLUMNS, REPLICA_COLUMNS, LogTable
from shoal.results import Status
from shoal.runs.documents import check_format, plain
from shoal.runs.writing import written_beside

if TYPE_CHECKING:
    import sqlite3

    import polars as pl

    from shoal.evaluation.record import Record

FORMAT = 4
NAME = "log.sqlite"
_MENDING = "Restore it from a copy, or train the run again (the command is in config.toml)."
# What is read: a network with the hyperparameters of its candidate.
_WITH_CANDIDATE = (*NETWORK_COLUMNS, ("candidate", "TEXT NOT NULL", "String"))
_JOINED = "(SELECT n.*, c.candidate FROM networks n JOIN candidates c ON c.id = n.candidate_id)"
# The tables of earlier formats, under the names of today.
_OF_FORMAT_2 = {"replicas": f"(SELECT {', '.join(f'NULL AS {name}' for name, _, _ in REPLICA_COLUMNS)} WHERE 0)"}
_OF_FORMAT_1 = {
    **_OF_FORMAT_2,
    "candidates": "(SELECT id, 1 AS networks, parameters, score, NULL AS score_error, kept, candidate FROM candidates)",
    _JOINED: "(SELECT *, id AS candidate_id, NULL AS fold, 0 AS repeat FROM candidates)",
}
_OF_FORMAT = {1: _OF_FORMAT_1, 2: _OF_FORMAT_2}
# The statuses up to format 3.
_SENTENCES = {
    "still training": Status.RUNNING.code,
    "trained for all its epochs": Status.FINISHED.code,
    "stopped: the validation loss no longer improved": Status.STOPPED_EARLY.code,
    "diverged: the loss was no longer a finite number": Status.DIVERGED.code,
}


def write_log(path: str | Path, record: Record) -> Path:
    """Write the log of a run, whole or not at all; the same record gives the same bytes.

    Args:
        path: the SQLite file.
        record: the finished run; `curves` row i belongs to `networks[i]`.

    Returns:
        The path.

    Raises:
        RunError: the file cannot be written.
    """
    import sqlite3

    with written_beside(path) as beside:
        try:
            with contextlib.closing(sqlite3.connect(beside, isolation_level=None)) as connection:
                _fill(connection, record)
        except sqlite3.Error as error:
            reason = "Free some space or choose another folder with --out."
            raise RunError(f"cannot write {str(path)!r}: {error}. {reason}") from error
    return Path(path)


def read_candidates(path: str | Path) -> pl.DataFrame:
    """Return the candidates of a log, one row each, in the order of their ids.

    Returns:
        Columns `id`, `networks` (how many were trained), `parameters`, `score` (their mean), `score_error` (its
        standard error, null for one network), `kept` and `candidate` (JSON of the hyperparameters).

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return _frame(Path(path), "candidates", CANDIDATE_COLUMNS, "id")


def read_networks(path: str | Path) -> pl.DataFrame:
    """Return the networks of a log, one row each, in the order of their ids.

    Returns:
        Columns `id`, `candidate_id`, `fold` (null without folds), `repeat`, `status` (a code), `parameters`, `epochs`,
        `best_epoch`, `train_loss`, `validation_loss`, `validation_metric`, `score`, `kept` and `candidate` (JSON of
        the hyperparameters).

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return _frame(Path(path), _JOINED, _WITH_CANDIDATE, "id")


def read_replicas(path: str | Path) -> pl.DataFrame:
    """Return the replicas of a log, one row each, in the order of their ids: draw after draw.

    Returns:
        Columns `id`, `network` (that it repeats), `draw` (of the target errors), `status`, `epochs`, `best_epoch`,
        `train_loss`, `validation_loss` and `kept` (whether its answers count). No rows without replicas.

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return _frame(Path(path), "replicas", REPLICA_COLUMNS, "id")


def read_curves(path: str | Path) -> pl.DataFrame:
    """Return the learning curves of a log in long form.

    Returns:
        Columns `network`, `epoch` (from 1), `train_loss`, `validation_loss`, `metric`.

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return _frame(Path(path), "curves", CURVE_COLUMNS, "network, epoch")


def read_meta(path: str | Path) -> dict[str, str]:
    """Return what a log says about itself: format, task, metric of the curves, seed."""
    return dict(_rows(Path(path), "SELECT key, value FROM meta ORDER BY key"))


def _fill(connection: sqlite3.Connection, record: Record) -> None:
    from shoal.evaluation.topics import topics  # reading needs none

    # No journal is needed: the file has no name until it is whole.
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.execute("BEGIN")
    connection.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    connection.executemany("INSERT INTO meta VALUES (?, ?)", sorted(_meta(record).items()))
    for topic in topics().values():
        for table in () if record.get(topic.record) is None else topic.tables(record):
            _write(connection, table)
    connection.execute("COMMIT")


def _write(connection: sqlite3.Connection, table: LogTable) -> None:
    columns = ", ".join(f"{name} {kind}" for name, kind, _ in table.columns)
    keyed = f", PRIMARY KEY ({table.key})) WITHOUT ROWID" if table.key else ")"
    connection.execute(f"CREATE TABLE {table.name} ({columns}{keyed}")
    places = ", ".join("?" * len(table.columns))
    connection.executemany(f"INSERT INTO {table.name} VALUES ({places})", (_stored(row) for row in table.rows))


def _stored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a row as SQLite takes it: mappings as JSON."""
    return tuple(json.dumps(plain(v), ensure_ascii=False) if isinstance(v, dict) else v for v in row)


def _meta(record: Record) -> dict[str, str]:
    from shoal.evaluation.topics.curves import Curves
    from shoal.evaluation.topics.data import DataRecord

    return {
        "format": str(FORMAT),
        "task": str(record[DataRecord].task),
        "metric": record[Curves].metric_name,
        "seed": str(record.provenance.seed),
    }


def _rows(path: Path, query: str, table: str = "") -> list[tuple[Any, ...]]:
    """Return what a query gives; `{}` in it stands for `table`, as the file's format has it."""
    import sqlite3

    if not path.is_file():
        raise RunError(f"{str(path)!r} is missing. {_MENDING}")
    # `immutable` reads without lock files, so a log on a read-only disk can be read.
    uri = path.resolve().as_uri() + "?mode=ro&immutable=1"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            number = connection.execute("PRAGMA user_version").fetchone()[0]
            check_format(path, number, FORMAT, _MENDING)
            source = _OF_FORMAT.get(number, {}).get(table, table)
            return connection.execute(query.format(source)).fetchall()
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise RunError(f"{str(path)!r} is damaged: {error}. {_MENDING}") from error


def _frame(path: Path, table: str, columns: tuple[tuple[str, str, str], ...], order: str) -> pl.DataFrame:
    import polars as pl

    names = [name for name, _, _ in columns]
    rows = _rows(path, f"SELECT {', '.join(names)} FROM {{}} ORDER BY {order}", table)
    values = list(zip(*rows, strict=True)) or [()] * len(names)
    wanted: dict[Any, Any] = {name: getattr(pl, kind) for name, _, kind in columns}
    # SQLite stores truth values as 0 and 1, and NaN as NULL.
    stored = {name: pl.Int64 if kind == pl.Boolean else kind for name, kind in wanted.items()}
    try:
        frame = pl.DataFrame(dict(zip(names, values, strict=True)), schema=stored).cast(wanted)
    except (TypeError, pl.exceptions.PolarsError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"{str(path)!r} is damaged: {reason}. {_MENDING}") from error
    return frame.with_columns(pl.col("status").replace(_SENTENCES)) if "status" in names else frame
