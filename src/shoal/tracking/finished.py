"""A finished run as trackers are told of it: plain names, numbers and curves, read from the run folder."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.runs import config_file, metrics_file
from shoal.runs.candidate_table import MEASURED, candidate_table
from shoal.runs.folder import RunFolder
from shoal.runs.log import read_curves, read_meta, read_networks
from shoal.runs.new_folder import MODEL

if TYPE_CHECKING:
    import polars as pl

PARTS = ("train", "validation", "test")
Curves = Mapping[str, np.ndarray]
"""Values `(epochs,)`, the first after one epoch, by `train_loss`, `validation_loss` and `validation_<metric>`."""


@dataclass(frozen=True)
class TriedCandidate:
    """A candidate of a run.

    Attributes:
        number: its `id` in `run.candidates`.
        hyperparameters: those that it has, widths and activations of several layers as texts.
        results: `score` (its mean validation loss, where every network ended well), `score_error`, `parameters`,
            `networks`, and `kept`, 1 in the ensemble, else 0.
        curves: of its networks by their number.
    """

    number: int
    hyperparameters: Mapping[str, str | int | float | bool]
    results: Mapping[str, float]
    curves: Mapping[int, Curves]


@dataclass(frozen=True)
class FinishedRun:
    """What a tracker is told.

    Attributes:
        path: the run folder.
        name: of the run, e.g. `iris-1`.
        data: name of the data.
        began: when, in seconds since 1970.
        command: that repeats the run.
        verdict: in sentences.
        settings: that were given, as texts.
        scores: such as `test/accuracy`; of several targets `test/<target>/accuracy`. Sealed test rows have none.
        artefacts: the files and folders that it keeps: page, numbers, settings, model.
        candidates: all that were trained.
    """

    path: Path
    name: str
    data: str
    began: float
    command: str
    verdict: str
    settings: Mapping[str, str]
    scores: Mapping[str, float]
    artefacts: tuple[Path, ...]
    candidates: tuple[TriedCandidate, ...]


def read_finished(folder: RunFolder) -> FinishedRun:
    """Return what there is to tell of the run in a folder.

    Raises:
        RunError: a file is missing or damaged.
    """
    config, metrics = folder.config, folder.metrics()
    names = (folder.report.name, metrics_file.NAME, config_file.NAME, MODEL)
    return FinishedRun(
        path=folder.path,
        name=folder.name,
        data=str(config["data"]["name"]),
        began=config["created"].timestamp(),
        command=str(config["command"]),
        verdict=str(metrics["verdict"]["text"]),
        settings={name: str(value) for name, value in config["settings"].items()},
        scores=_scores(folder, metrics),
        artefacts=tuple(path for path in (folder.path / name for name in names) if path.exists()),
        candidates=_candidates(folder.log, rolling="rolling" in metrics["search"]),
    )


def _scores(folder: RunFolder, metrics: Mapping[str, Any]) -> dict[str, float]:
    """Return the scores of the ensemble that are numbers; of several targets those of each."""
    of = {f"{target}/": part.metrics() for target, part in folder.targets.items()} or {"": dict(metrics)}
    scores = {
        f"{part}/{target}{name}": score["value"]
        for target, numbers in of.items()
        for part in PARTS
        for name, score in (numbers.get(part) or {}).items()
    }
    return {name: float(value) for name, value in scores.items() if value is not None}


def _candidates(log: Path, *, rolling: bool) -> tuple[TriedCandidate, ...]:
    table, networks, curves = candidate_table(log, rolling=rolling), read_networks(log), read_curves(log)
    metric = read_meta(log)["metric"]
    by_network = {number: _curves(part, metric) for (number,), part in curves.group_by("network", maintain_order=True)}
    numbers_of = dict(networks.group_by("candidate_id").agg("id").iter_rows())
    return tuple(
        TriedCandidate(
            number=row["id"],
            hyperparameters={name: row[name] for name in row if name not in MEASURED and row[name] is not None},
            results=_results(row),
            curves={number: by_network[number] for number in sorted(numbers_of[row["id"]]) if number in by_network},
        )
        for row in table.iter_rows(named=True)
    )


def _results(row: Mapping[str, Any]) -> dict[str, float]:
    values = {name: row[name] for name in ("score", "score_error", "parameters", "networks", "kept")}
    return {name: float(value) for name, value in values.items() if value is not None and math.isfinite(value)}


def _curves(part: pl.DataFrame, metric: str) -> Curves:
    names = {"train_loss": "train_loss", "validation_loss": "validation_loss", "metric": f"validation_{metric}"}
    return {name: part[column].to_numpy() for column, name in names.items() if part[column].null_count() < len(part)}
