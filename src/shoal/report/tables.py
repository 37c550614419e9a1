"""The tables of the page, as plain rows of text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.evaluation.record import Record, Scores
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.candidates import CandidateRow, Candidates, NetworkRow
from shoal.evaluation.topics.data import ColumnRow, DataRecord
from shoal.evaluation.topics.error_bars import level_of
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.predictions import TestRows
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.figures.style import name_text
from shoal.report.words import (
    count,
    greater_is_better,
    integer,
    interval_range,
    interval_value,
    joined,
    label,
    number,
    percent,
    seconds,
    setting,
)
from shoal.results import Interval, Status, Task
from shoal.statistics.weighted import effective_number, negative_fraction

MOST_NETWORKS = 20
MOST_COLUMNS = 60
MOST_CHANNELS = 6
LEAST_SHARE = 0.005
HEADLINE = {
    Task.CLASSIFICATION: ("accuracy", "log_loss", "roc_auc"),
    Task.REGRESSION: ("rmse", "r2", "mae"),
    Task.RECONSTRUCTION: ("reconstruction_error", "explained_variance"),
}
_STATUS = {
    Status.RUNNING: "still training",
    Status.FINISHED: "trained to the end",
    Status.STOPPED_EARLY: "stopped early",
    Status.DIVERGED: "diverged",
}


@dataclass(frozen=True)
class Cell:
    """A score in a table: the number, its interval, and whether it is the best of its column."""

    value: str
    range: str
    best: bool = False


@dataclass(frozen=True)
class Table:
    """Names of the columns, rows of cells, and a sentence on what is not shown."""

    header: tuple[str, ...]
    rows: tuple[Any, ...]
    note: str = ""


def headline(record: Record) -> tuple[tuple[str, str, str], ...]:
    """Return the two or three scores that open the page: label, value, range."""
    test = record[PartScores].parts.get("test", {})
    shown = [(label(m), test[m]) for m in HEADLINE[record[DataRecord].task] if m in test]
    coverage = record[TestRows].coverage
    if coverage is not None and record[TestRows].mean is not None:
        shown = [*shown[:2], (f"of true values inside their {percent(level_of(record))} interval", coverage)]
    rmse = label("rmse")
    named = label("rmse", record[DataRecord].score_unit("rmse"))
    if record[DataRecord].task is Task.REGRESSION and len(record[DataRecord].targets) == 1:
        named = f"{rmse} of {record[DataRecord].label(record[DataRecord].targets[0])}"
    return tuple((named if name == rmse else name, interval_value(s), interval_range(s)) for name, s in shown)


def data_facts(record: Record) -> tuple[tuple[str, str], ...]:
    """Return what the data are: label and value."""
    data = record[DataRecord]
    features = sum(c.role == "feature" for c in data.columns)
    inputs = len(data.feature_names)
    facts = [
        ("source", data.source),
        ("task", data.task_name),
        ("rows", integer(sum(record[SplitRecord].rows.values()))),
    ]
    reconstruction, signals = record.get(ReconstructionRecord), record.get(SignalRecord)
    if reconstruction is not None:
        return (*facts, *_reconstruction_facts(reconstruction, inputs))
    if signals is not None:
        return (*facts, *_signal_facts(signals), ("target", ", ".join(map(data.label, data.targets))))
    facts += [("feature columns", integer(features)), ("target", ", ".join(map(data.label, data.targets)))]
    facts += _weight_facts(record[TestRows].weights)
    return (*facts, ("inputs of a network", integer(inputs))) if inputs != features else tuple(facts)


def _weight_facts(weights: np.ndarray | None) -> list[tuple[str, str]]:
    """Return how many rows the weighted test rows count as, and how many weigh less than nothing."""
    if weights is None:
        return []
    negative = negative_fraction(weights)
    facts = [("test rows by weight", integer(effective_number(weights)))]
    return [*facts, ("negative weights", f"{number(100 * negative, 2)} %")] if negative else facts


def _reconstruction_facts(found: ReconstructionRecord, features: int) -> tuple[tuple[str, str], ...]:
    """Return what is reconstructed from how much."""
    size = " × ".join(map(str, found.usual.truth.shape[1:-1]))
    shown = {"images": ("images", f"{size} pixels"), "series": ("series", f"{size} steps")}
    what = shown.get(found.kind, ("inputs of a network", integer(features)))
    label = (("label, not learnt from", found.label_name),) if found.label_name else ()
    return (what, ("bottleneck", count(found.bottleneck, "number")), *label)


def _signal_facts(signals: SignalRecord) -> tuple[tuple[str, str], ...]:
    """Return what images or series are: their size, channels and number type."""
    size = " × ".join(map(str, signals.shape[:-1]))
    if signals.kind == "images":
        size = f"{size} pixels"
    else:
        size = f"{'up to ' if signals.lengths is not None else ''}{count(signals.shape[0], 'step')}"
    names, left = [name_text(name) for name in signals.channels[:MOST_CHANNELS]], len(signals.channels) - MOST_CHANNELS
    channels = joined([*names, f"{left} more"] if left > 0 else names)
    return (signals.kind, size), ("channels", channels), ("stored as", signals.number_type)


def hyperparameters(record: Record) -> tuple[tuple[str, float, str], ...]:
    """Return name, share of the score's variance, and sentence of each hyperparameter that has a share."""
    return tuple(
        (label(each.name), each.share, label(each.name) + each.finding)
        for each in record[Candidates].hyperparameters
        if each.share >= LEAST_SHARE
    )


def idle_hyperparameters(record: Record) -> str:
    """Return the names of the hyperparameters without a share, as an enumeration."""
    return joined(label(each.name) for each in record[Candidates].hyperparameters if each.share < LEAST_SHARE)


def columns(record: Record) -> Table:
    """Return the table of columns, targets first, then as in the file."""
    first = ("target", "y_err", "weight", "group", "time", "id")
    place = {role: i for i, role in enumerate(first)}
    ordered = sorted(record[DataRecord].columns, key=lambda c: place.get(c.role, len(first)))
    left = len(ordered) - MOST_COLUMNS
    note = f"{count(left, 'more column')}: shoal describe lists them all." if left > 0 else ""
    units = record[DataRecord].units
    known = ("unit",) if any(c.name in units for c in ordered) else ()
    header = ("column", "type", "role", "missing", "distinct", "range", *known, "remark")
    roles = {"y_err": "target error"} | ({"target": "label"} if record.get(ReconstructionRecord) else {})
    rows = (_column(c, roles) for c in ordered[:MOST_COLUMNS])
    if known:
        rows = ((*row[:-1], units.get(row[0], ""), row[-1]) for row in rows)
    return Table(header, tuple(rows), note)


def _column(column: ColumnRow, roles: dict[str, str]) -> tuple[str, ...]:
    span = " … ".join(str(end) for end in (column.low, column.high) if end not in ("", None))
    role = roles.get(column.role, column.role)
    missing = integer(column.missing) if column.missing else "0"
    return (column.name, column.kind, role, missing, integer(column.distinct), span, column.reason)


def population(record: Record) -> tuple[tuple[str, str], ...]:
    """Return how the networks fared: label and count."""
    status = [n.status for n in record[Candidates].networks]
    several = [("candidates", len(record[Candidates].ranked))] if record[Candidates].networks_each > 1 else []
    several += [("trained", len(status)), ("kept", len(record[Candidates].kept))]
    several += [(words, status.count(name)) for name, words in _STATUS.items() if status.count(name)]
    sizes = sorted(n.parameters for n in record[Candidates].networks)
    counted = [(words, integer(amount)) for words, amount in several]
    if not sizes:
        return tuple(counted)
    span = integer(sizes[0]) if sizes[0] == sizes[-1] else f"{integer(sizes[0])} to {integer(sizes[-1])}"
    return (*counted, ("parameters each", span))


def networks(record: Record) -> Table:
    """Return the best candidates with the hyperparameters that differ between them; each may be one network."""
    differing, same = _hyperparameters(record)
    single = record[Candidates].networks_each == 1
    header: tuple[str, ...] = ("candidate", "kept", "score", "standard error", "networks", "parameters")
    if single:
        header = ("network", "kept", "score", "validation loss", "training loss", "best epoch", "parameters")
    left = len(record[Candidates].ranked) - MOST_NETWORKS
    what = "more network" if single else "more candidate"
    notes = [f"{count(left, what)} in log.sqlite, with all curves."] if left > 0 else []
    if same and not record[Candidates].space:
        notes.append(f"The same in all: {'; '.join(same)}.")
    if len(record[Candidates].ranked) == 1:
        differing = []
        notes = [f"Its hyperparameters: {'; '.join(same)}."]
    by_id = {n.candidate_id: n for n in record[Candidates].networks}
    best = record[Candidates].ranked[:MOST_NETWORKS]
    rows = [_network(by_id[c.id], differing) if single else _candidate(c, differing) for c in best]
    return Table((*header, *(label(n) for n in differing)), tuple(rows), " ".join(notes))


def _hyperparameters(record: Record) -> tuple[list[str], list[str]]:
    """Return the names of the hyperparameters that differ, and the others with their value in words."""
    tried = [c.candidate for c in record[Candidates].ranked]
    names = list(dict.fromkeys(name for candidate in tried for name in candidate))
    differing = [name for name in names if len({setting(candidate.get(name)) for candidate in tried}) > 1]
    shared = [n for n in names if n not in differing and tried[0].get(n) is not None]
    return differing, [f"{label(n)} {setting(tried[0].get(n))}" for n in shared]


def _network(row: NetworkRow, differing: list[str]) -> tuple[str, ...]:
    epochs = f"{integer(row.best_epoch)} of {integer(row.epochs)}"
    if row.status is Status.DIVERGED:
        epochs += ", diverged"
    numbers = (number(row.score), number(row.validation_loss), number(row.train_loss), epochs)
    own = (setting(row.candidate.get(name), digits=3) for name in differing)
    return (str(row.id), "●" if row.kept else "", *numbers, integer(row.parameters), *own)


def _candidate(row: CandidateRow, differing: list[str]) -> tuple[str, ...]:
    error = f"± {number(row.error, 2)}" if math.isfinite(row.error) else "–"
    score = number(row.score) if math.isfinite(row.score) else "–"
    own = (setting(row.candidate.get(name), digits=3) for name in differing)
    counts = integer(row.networks), integer(row.parameters)
    return (str(row.id), "●" if row.kept else "", score, error, *counts, *own)


def scores(record: Record) -> Table:
    """Return the ensemble's scores on each part of the data."""
    parts = [p for p in ("train", "validation", "test") if record[PartScores].parts.get(p)]
    metrics = _metrics([record[PartScores].parts[p] for p in parts])
    split = record[SplitRecord]
    sizes = split.rows
    words = {"train": "training", "validation": "validation", "test": "test"}
    if split.cv:
        words, sizes = words | {"validation": "out of fold"}, sizes | {"validation": sizes.get("train", 0)}
    if split.rolling is not None:
        words, sizes = words | {"validation": "the next part"}, sizes | split.rolling
    rows = tuple(
        (
            f"{words[p]} ({count(sizes.get(p, 0), 'row')})",
            [_cell(record[PartScores].parts[p].get(m)) for m in metrics],
        )
        for p in parts
    )
    return Table(("rows", *(label(m, record[DataRecord].score_unit(m)) for m in metrics)), rows)


def models(record: Record) -> Table:
    """Return the test scores of the ensemble and the baselines; the best of each column is marked."""
    everyone = {own_name(record): record[PartScores].parts.get("test", {})}
    everyone |= {label(name): scores for name, scores in record[BaselineScores].scores.items()}
    metrics = _metrics(list(everyone.values()))
    best = {m: _best(m, list(everyone.values())) for m in metrics}
    rows = tuple((name, [_cell(s.get(m), best[m]) for m in metrics]) for name, s in everyone.items())
    return Table(("model", *(label(m, record[DataRecord].score_unit(m)) for m in metrics)), rows)


def own_name(record: Record) -> str:
    """Return what stands for shoal beside the baselines: its ensemble, or the network that reconstructs."""
    return "shoal's ensemble" if record.get(ReconstructionRecord) is None else "shoal's best network"


def _metrics(several: list[Scores]) -> list[str]:
    return list(dict.fromkeys(name for scores in several for name in scores))


def _best(metric: str, several: list[Scores]) -> float | None:
    values = [s[metric].value for s in several if metric in s and math.isfinite(s[metric].value)]
    return (max if greater_is_better(metric) else min)(values) if len(values) > 1 else None


def _cell(score: Interval | None, best: float | None = None) -> Cell:
    if score is None or math.isnan(score.value):
        return Cell("–", "")
    return Cell(interval_value(score), interval_range(score), best is not None and score.value == best)


def settings(record: Record) -> tuple[tuple[str, str], ...]:
    """Return the settings that were given, as label and value; those left at None are defaults."""
    return tuple((label(k), setting(v)) for k, v in record.provenance.settings.items() if v is not None)


def search_space(record: Record) -> tuple[tuple[str, str], ...]:
    """Return the space that candidates were drawn from, as label and range."""
    return tuple((label(name), words) for name, words in record[Candidates].space)


def times(record: Record) -> tuple[tuple[str, str], ...]:
    """Return where the time went, the total first."""
    ordered = sorted(record.provenance.seconds.items(), key=lambda item: item[0] != "total")
    return tuple((label(name), seconds(value)) for name, value in ordered)
