"""Compare the test scores of `shoal.fit` with those of scikit-learn's networks on the same rows.

    python benchmarks/quality.py --seeds 3 --out quality

Each finished seed of a table is one line of `quality/scores.jsonl`; a repeated call goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from opponents import score_opponents
from tables import TABLES, Table

import shoal
from shoal.results import Task
from shoal.settings import check_settings
from shoal.statistics.metrics import METRICS
from shoal.steps.reading import read

SHOWN = {Task.CLASSIFICATION: ("accuracy", "log_loss"), Task.REGRESSION: ("rmse", "r2")}


def score_table(table: Table, seed: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the test scores of shoal and of every opponent for one seed of split and networks."""
    data, options = table.load(), {**table.settings, **settings, "seed": seed}
    # opponents learn with and without validation rows; the test rows are those of folds, too
    dataset, split = read(data, check_settings({**options, "cv": "none"}))
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        metrics = shoal.fit(data, **options, out=f"{folder}/run").metrics
    seconds = time.perf_counter() - began
    if metrics["rows"]["test"] != len(split.test):
        raise SystemExit(f"{table.name}: shoal was tested on {metrics['rows']['test']} rows, not {len(split.test)}")
    return {
        "table": table.name,
        "seed": seed,
        "settings": settings,
        "task": dataset.task_name,
        "kind": dataset.task.value,
        "rows": dataset.rows,
        "shoal": {name: score["value"] for name, score in metrics["test"].items()},
        "opponents": score_opponents(dataset, split, seed),
        "networks": metrics["networks"]["trained"],
        "seconds": {"fit": round(seconds, 2), **metrics["seconds"]},
    }


def strongest(lines: list[dict[str, Any]], rows: str) -> str:
    """Return the opponent that learned from these rows and is best in the main metric, in the mean over the seeds.

    It is chosen on the test rows, in its own favour.
    """
    metric = METRICS[SHOWN[Task(lines[0]["kind"])][0]]
    sign = 1.0 if metric.greater_is_better else -1.0
    names = [name for name in lines[0]["opponents"] if f", {rows}" in name]
    means = {name: np.mean([line["opponents"][name][metric.name] for line in lines]) for name in names}
    return max(means, key=lambda name: sign * means[name])


def markdown(lines: list[dict[str, Any]]) -> str:
    """Return the table: means over the seeds ± standard deviation, differences with + where shoal is better."""
    rows = [
        "| data | rows | task | metric | shoal | scikit-learn | difference | scikit-learn without validation rows |",
        "|---|--:|---|---|--:|--:|--:|--:|",
    ]
    for name in dict.fromkeys(line["table"] for line in lines):
        mine = [line for line in lines if line["table"] == name]
        other, fewer = (strongest(mine, f"{which} rows") for which in ("training and validation", "training"))
        for metric in SHOWN[Task(mine[0]["kind"])]:
            ours = np.array([line["shoal"][metric] for line in mine])
            theirs, less = (np.array([line["opponents"][o][metric] for line in mine]) for o in (other, fewer))
            gain = (ours - theirs) * (1.0 if METRICS[metric].greater_is_better else -1.0)
            cells = (name, f"{mine[0]['rows']:,}", mine[0]["task"], METRICS[metric].label)
            shown = (_shown(ours), _shown(theirs), _shown(gain, "+"), _shown(less))
            rows.append(f"| {' | '.join((*cells, *shown))} |")
    return "\n".join(rows)


def _shown(values: np.ndarray, sign: str = "") -> str:
    spread = values.std(ddof=1) if len(values) > 1 else 0.0
    return f"{values.mean():{sign}.4g} ± {spread:.2g}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", default=list(TABLES), choices=list(TABLES), metavar="NAME")
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ... of split and networks")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--networks", type=int, help="networks of one fit; shoal's default if not given")
    parser.add_argument("--out", type=Path, default=Path("quality"), help="folder for the scores")
    given = parser.parse_args()
    settings = {} if given.networks is None else {"networks": given.networks}
    given.out.mkdir(parents=True, exist_ok=True)
    file = given.out / "scores.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(line["table"], line["seed"], json.dumps(line["settings"])) for line in lines}
    for seed in range(given.first_seed, given.first_seed + given.seeds):
        for name in given.tables:
            if (name, seed, json.dumps(settings)) in done:
                continue
            line = score_table(TABLES[name], seed, settings)
            lines.append(line)
            with file.open("a") as stream:
                stream.write(json.dumps(line) + "\n")
            print(f"{name}, seed {seed}: {line['seconds']['fit']:.0f} s", flush=True)
    text = markdown([line for line in lines if line["table"] in given.tables])
    (given.out / "table.md").write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
