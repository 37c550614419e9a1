"""Rank `shoal.fit`, with one list of options or several, among the best known methods for tables.

    python benchmarks/ranks.py --half decisions --shoal default "folds: cv=5" --peers --out ranks
    python benchmarks/ranks.py --half both --print default folds CatBoost --out ranks

Each finished fit is one line of `ranks/scores.jsonl`; a repeated call goes on where it was. The test rows of a table
are those that `shoal.fit` splits off by the seed; peers learn from all others, by their defaults.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from collection import COLLECTION, DECISIONS, HALVES, HELD_BACK
from learners import LEARNERS, predict_by
from tables import Table

import shoal
from shoal.data import Dataset, Split
from shoal.results import Task
from shoal.settings import check_settings
from shoal.statistics.metrics import METRICS, metrics_for
from shoal.steps.reading import read

SHOWN = {Task.CLASSIFICATION: ("accuracy", "log_loss"), Task.REGRESSION: ("rmse", "r2")}


def score_shoal(table: Table, seed: int, options: dict[str, Any], dataset: Dataset, split: Split) -> dict[str, float]:
    """Return the test scores of a fit of shoal."""
    with tempfile.TemporaryDirectory() as folder:
        metrics = shoal.fit(table.load(), **{**table.settings, **options, "seed": seed}, out=f"{folder}/run").metrics
    if metrics["rows"]["test"] != len(split.test) or dataset.rows != sum(metrics["rows"].values()):
        raise SystemExit(f"{table.name}: shoal was tested on {metrics['rows']['test']} rows, not {len(split.test)}")
    return {name: score["value"] for name, score in metrics["test"].items()}


def score_learner(name: str, seed: int, dataset: Dataset, split: Split) -> dict[str, float]:
    """Return the test scores of a peer."""
    guess = predict_by(name, dataset, np.union1d(split.train, split.validation), split.test, seed)
    return {m.name: m(dataset.y()[split.test], guess, None) for m in metrics_for(dataset.task)}


def score(table: Table, method: str, seed: int, options: dict[str, Any] | None) -> dict[str, Any]:
    """Return the line of one fit; a method without options is a peer."""
    dataset, split = read(table.load(), check_settings({**table.settings, "seed": seed}))
    wall, cpu = time.perf_counter(), time.process_time()
    if options is None:
        scores = score_learner(method, seed, dataset, split)
    else:
        scores = score_shoal(table, seed, options, dataset, split)
    seconds = {"wall": round(time.perf_counter() - wall, 2), "cpu": round(time.process_time() - cpu, 2)}
    shown = {name: scores[name] for name in SHOWN[dataset.task]}
    kept = {"table": table.name, "method": method, "seed": seed, "options": options, "rows": dataset.rows}
    return {**kept, "kind": dataset.task.value, "test": len(split.test), "scores": shown, "seconds": seconds}


def losses(lines: Sequence[dict[str, Any]], kind: int) -> dict[str, dict[str, float]]:
    """Return what each method loses on each table, smaller is better, in the mean over the seeds.

    Args:
        lines: of the results.
        kind: 0 by accuracy or RMSE, 1 by log-loss or R².
    """
    found: dict[str, dict[str, list[float]]] = {}
    for line in lines:
        metric = METRICS[SHOWN[Task(line["kind"])][kind]]
        value = line["scores"][metric.name]
        lost = 1.0 - value if metric.greater_is_better else value
        if metric.name == "accuracy":  # a table without a wrong row has a loss, too, and ratios of losses are finite
            lost += 0.5 / line["test"]
        found.setdefault(line["method"], {}).setdefault(line["table"], []).append(lost)
    return {method: {t: float(np.mean(each)) for t, each in of.items()} for method, of in found.items()}


def ranks(lost: dict[str, dict[str, float]], tables: Sequence[str]) -> dict[str, float]:
    """Return the mean rank of each method over these tables, 1 is the best."""
    from scipy.stats import rankdata

    each = np.array([rankdata([lost[method][table] for method in lost]) for table in tables])
    return dict(zip(lost, each.mean(axis=0).tolist(), strict=True))


def paired(mine: dict[str, float], other: dict[str, float], tables: Sequence[str]) -> tuple[int, int, float, float]:
    """Return wins, losses, the median ratio of the losses, and the p-value of Wilcoxon's test of their logarithms."""
    from scipy.stats import wilcoxon

    logs = np.log([mine[table] / other[table] for table in tables])
    p = float(wilcoxon(logs).pvalue) if np.any(logs != 0.0) else 1.0
    return int((logs < 0).sum()), int((logs > 0).sum()), float(np.exp(np.median(logs))), p


def markdown(lines: Sequence[dict[str, Any]], methods: Sequence[str]) -> str:
    """Return the table of mean ranks on the tables that all methods have seen, each beside the first method."""
    lines = [line for line in lines if line["method"] in methods]
    both = [losses(lines, kind) for kind in (0, 1)]
    both = [{method: of[method] for method in methods} for of in both]
    tables = [table for table in COLLECTION if all(table in of for of in both[0].values())]
    of_tables = [line for line in lines if line["table"] in tables]
    means = [ranks(of, tables) for of in both]
    rows = [
        f"| {len(tables)} tables | rank by accuracy or RMSE | wins, losses, p | rank by log-loss or R² | "
        "wins, losses, p | seconds: median, most |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for method in methods:
        cells = [method]
        for mean, of in zip(means, both, strict=True):
            won, lost, _, p = paired(of[methods[0]], of[method], tables)
            cells += [f"{mean[method]:.2f}", "" if method == methods[0] else f"{won}, {lost}, {p:.2g}"]
        seconds = [line["seconds"]["cpu"] for line in of_tables if line["method"] == method]
        rows.append(f"| {' | '.join(cells)} | {np.median(seconds):.1f}, {max(seconds):.0f} |")
    return "\n".join(rows)


def read_options(text: str) -> tuple[str, dict[str, Any]]:
    """Return name and options of `NAME` or `NAME: OPTION=VALUE OPTION=VALUE`.

    >>> read_options("folds: cv=5 repeats=2")
    ('folds', {'cv': 5, 'repeats': 2})
    """
    name, _, given = text.partition(":")
    pairs = dict(part.split("=", 1) for part in given.split())
    return name, {key: _value(value) for key, value in pairs.items()}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def wanted(given: argparse.Namespace) -> list[tuple[str, dict[str, Any] | None]]:
    """Return the methods that are asked for: name and options of shoal, or a peer and None."""
    peers = LEARNERS if given.peers == [] else given.peers or ()
    return [*map(read_options, given.shoal), *((name, None) for name in peers)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=[DECISIONS, HELD_BACK, "both"], default=DECISIONS)
    parser.add_argument("--tables", nargs="+", choices=list(COLLECTION), metavar="NAME")
    parser.add_argument("--shoal", nargs="+", default=[], help="NAME or 'NAME: OPTION=VALUE ...'")
    parser.add_argument("--peers", nargs="*", choices=list(LEARNERS), help="all, if none is named")
    parser.add_argument("--print", nargs="+", default=[], dest="shown", help="methods to rank; the first beside each")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("ranks"), help="folder for the scores")
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "scores.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    tables = given.tables or [name for name in COLLECTION if given.half in ("both", HALVES[name])]
    done = {(line["table"], line["method"], line["seed"]) for line in lines}
    for seed in range(given.seeds):
        for name in tables:
            for method, options in wanted(given):
                if (name, method, seed) in done:
                    continue
                line = score(COLLECTION[name], method, seed, options)
                lines.append(line)
                with file.open("a") as stream:
                    stream.write(json.dumps(line) + "\n")
                print(f"{name}, {method}, seed {seed}: {line['seconds']} {line['scores']}", flush=True)
    if given.shown:
        print(markdown([line for line in lines if line["table"] in tables], given.shown))


if __name__ == "__main__":
    main()
