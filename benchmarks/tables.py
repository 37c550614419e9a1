"""The tables that the benchmarks read: every built-in set, and real ones that other packages ship.

Nothing is downloaded. Titanic, penguins and cpu are files of scikit-learn; cars comes with `vega_datasets`.
"""

from __future__ import annotations

import csv
import gzip
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from shoal.data import BUILTIN

OPENML = "sklearn.datasets.tests.data.openml"


@dataclass(frozen=True)
class Table:
    """A table with the settings that `shoal.fit` needs beside it."""

    name: str
    load: Callable[[], Any]
    settings: dict[str, Any] = field(default_factory=dict)


def titanic() -> pl.DataFrame:
    """Return 1309 passengers: who survived, without the two columns that were known only afterwards."""
    return _arff("id_40945", "data-v1-dl-16826755.arff.gz").drop("boat", "body")


def penguins() -> pl.DataFrame:
    """Return 344 penguins of three species; two were not measured and ten have no sex."""
    table = _arff("id_42585", "data-v1-dl-21854866.arff.gz")
    return table.with_columns(sex=pl.col("sex").replace("_", None))


def cpu() -> pl.DataFrame:
    """Return 209 computers: vendor, properties and relative performance (`class`)."""
    return _arff("id_561", "data-v1-dl-52739.arff.gz")


def cars() -> pl.DataFrame:
    """Return 406 cars of 1970 to 1982; eight have no mileage and six no power."""
    found = importlib.util.find_spec("vega_datasets")
    if found is None or found.origin is None:
        raise SystemExit("the table cars needs: pip install vega_datasets")
    table = pl.read_json(Path(found.origin).parent / "_data" / "cars.json")
    return table.with_columns(Year=pl.col("Year").str.slice(0, 4).cast(pl.Int64))


def _arff(folder: str, name: str) -> pl.DataFrame:
    """Return a dense ARFF file as a table; `?` is a missing value."""
    text = gzip.decompress((files(f"{OPENML}.{folder}") / name).read_bytes()).decode("utf-8")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("%")]
    start = next(i for i, line in enumerate(lines) if line.lower() == "@data")
    attributes = [line.split(None, 2) for line in lines[:start] if line.lower().startswith("@attribute")]
    rows = list(csv.reader(lines[start + 1 :], quotechar='"', skipinitialspace=True))
    columns: dict[str, pl.Series] = {}
    for i, (_, attribute, kind) in enumerate(attributes):
        column = attribute.strip("'\"")
        values = pl.Series(column, [None if row[i] == "?" else row[i] for row in rows])
        number = kind.lower() in ("numeric", "real", "integer")
        columns[column] = values.cast(pl.Float64) if number else values
    return pl.DataFrame(columns)


def _built_in(name: str) -> Table:
    return Table(name, lambda: name)


TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        *(_built_in(name) for name in BUILTIN),
        Table("titanic", titanic, {"target": "survived"}),
        Table("penguins", penguins, {"target": "species"}),
        Table("penguin_mass", penguins, {"target": "body_mass_g"}),
        Table("cars", cars, {"target": "Miles_per_Gallon"}),
        Table("cpu", cpu, {"target": "class", "task": "regression"}),
    )
}
