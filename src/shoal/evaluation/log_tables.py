"""The tables of `log.sqlite`, apart from what fills them, so that a log is read without loading an evaluation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

CANDIDATE_COLUMNS = (
    ("id", "INTEGER PRIMARY KEY", "Int64"),
    ("networks", "INTEGER NOT NULL", "Int64"),
    ("parameters", "INTEGER", "Int64"),
    ("score", "REAL", "Float64"),
    ("score_error", "REAL", "Float64"),
    ("kept", "INTEGER NOT NULL", "Boolean"),
    ("candidate", "TEXT NOT NULL", "String"),
)
NETWORK_COLUMNS = (
    ("id", "INTEGER PRIMARY KEY", "Int64"),
    ("candidate_id", "INTEGER NOT NULL", "Int64"),
    ("fold", "INTEGER", "Int64"),
    ("repeat", "INTEGER NOT NULL", "Int64"),
    ("status", "TEXT NOT NULL", "String"),
    ("parameters", "INTEGER", "Int64"),
    ("epochs", "INTEGER", "Int64"),
    ("best_epoch", "INTEGER", "Int64"),
    ("train_loss", "REAL", "Float64"),
    ("validation_loss", "REAL", "Float64"),
    ("validation_metric", "REAL", "Float64"),
    ("score", "REAL", "Float64"),
    ("kept", "INTEGER NOT NULL", "Boolean"),
)
CURVE_COLUMNS = (
    ("network", "INTEGER NOT NULL", "Int64"),
    ("epoch", "INTEGER NOT NULL", "Int64"),
    ("train_loss", "REAL", "Float64"),
    ("validation_loss", "REAL", "Float64"),
    ("metric", "REAL", "Float64"),
)
REPLICA_COLUMNS = (
    ("id", "INTEGER PRIMARY KEY", "Int64"),
    ("network", "INTEGER NOT NULL", "Int64"),
    ("draw", "INTEGER NOT NULL", "Int64"),
    ("status", "TEXT NOT NULL", "String"),
    ("epochs", "INTEGER", "Int64"),
    ("best_epoch", "INTEGER", "Int64"),
    ("train_loss", "REAL", "Float64"),
    ("validation_loss", "REAL", "Float64"),
    ("kept", "INTEGER NOT NULL", "Boolean"),
)


@dataclass(frozen=True)
class LogTable:
    """A table of `log.sqlite`: its name, each column with its type in SQL and in polars, and its rows.

    `key` names the columns that order the rows and are theirs alone, where it is not the first one.
    """

    name: str
    columns: tuple[tuple[str, str, str], ...]
    rows: Iterable[tuple[Any, ...]]
    key: str = ""
