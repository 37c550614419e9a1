"""`metrics.json`: the numbers of a run for scripts.

The same data, settings and seed give the same bytes, except under `seconds`; so nothing goes in that
depends on when or where the run was made (the command and the settings are in `config.toml`). What is no
finite number is null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.results import Interval, Status, Task
from shoal.runs.documents import json_text, plain, read_json
from shoal.runs.writing import write_atomically
from shoal.statistics.weighted import effective_number, negative_fraction

if TYPE_CHECKING:
    from shoal.evaluation.pulls.chi_square import MeasuredRecord
    from shoal.evaluation.record import ErrorBars, ReconstructionRecord, Record

FORMAT = 1
NAME = "metrics.json"
_MENDING = "Restore it from a copy, or train the run again (the command is in config.toml)."


def metrics_dict(record: Record) -> dict[str, Any]:
    """Return the numbers of a run as plain data, in a fixed order.

    Args:
        record: the finished run.

    Returns:
        `format`, `task`, `target`, `seed`, `rows`, `networks`, `test`, `validation`, `train`, `baselines`,
        `verdict`, `hyperparameters`, `search`, `test_openings`, `data`, `engine`, `versions` and `seconds`; where units
        are known, `units` of `columns` and of `scores`. Every score
        is `{"value", "low", "high", "method"}`, a 95 % interval. `search.candidates_looked_at` counts the
        candidates among which the kept ones were chosen, `search.cv` and `search.repeats` say how often each was
        trained, and `search.kept` gives each kept one's mean score with its standard error; `search.front` the best
        candidate of each size, and the smallest that is as good as the best. With `cv`, the
        `validation` scores are those of out-of-fold predictions; `search.rolling` then tells how many rows taught and
        judged a network, where folds are rolling. `coverage` is the share of test values inside their
        interval, of classes inside their set, beside the `level` that was asked for; `calibration` says how predictions
        were calibrated and holds expected calibration error and log-loss before and after, `outside` the share of test
        rows outside the training region. Where targets have measured errors, `measured_errors` holds chi-square, pulls
        and intrinsic scatter of each, and how many replicas there are. Where yields were given, `selection` holds the
        cut that the validation rows chose and what it gives on the test rows. `importance` is that of the columns,
        where it was cheap to measure.
    """
    data = record.data
    document = {
        "format": FORMAT,
        "task": str(data.task),
        "target": list(data.targets),
        "seed": record.seed,
        "rows": dict(data.rows),
        "networks": _networks(record),
        **{part: _scores(record.scores.get(part, {})) for part in ("test", "validation", "train")},
        "baselines": {name: _scores(scores) for name, scores in record.baselines.items()},
        "verdict": _verdict(record),
        "hyperparameters": [
            {"name": each.name, "share": each.share, "text": each.text} for each in record.hyperparameters
        ],
        "search": _search(record),
        "test_openings": record.test_openings,
        **_on_test_rows(record),
        **({"measured_errors": _measured(record.measured)} if record.measured is not None else {}),
        **({} if record.importance is None else {"importance": record.importance.as_dict()}),
        "data": _data(record),
        **_units(record),
        "engine": dict(record.engine),
        "versions": dict(sorted(record.versions.items())),
        "seconds": _seconds(record.seconds),
    }
    checked: dict[str, Any] = plain(document)
    return checked


def write_metrics(folder: str | Path, record: Record) -> Path:
    """Write `metrics.json` into a run folder and return its path.

    Raises:
        RunError: the file cannot be written.
    """
    return write_atomically(Path(folder) / NAME, json_text(metrics_dict(record)))


def read_metrics(folder: str | Path) -> dict[str, Any]:
    """Return the content of a run folder's `metrics.json`.

    Raises:
        RunError: missing, damaged or of a newer format.
    """
    return read_json(Path(folder) / NAME, FORMAT, _MENDING)


def count_opening(folder: str | Path) -> int:
    """Count one more use of the test rows and return how many there are now."""
    document = read_metrics(folder)
    document["test_openings"] = int(document.get("test_openings", 1)) + 1
    write_atomically(Path(folder) / NAME, json_text(document))
    return int(document["test_openings"])


def _networks(record: Record) -> dict[str, Any]:
    diverged = [n for n in record.networks if n.status is Status.DIVERGED]
    return {
        "trained": len(record.networks),
        "kept": len(record.kept),
        "diverged": len(diverged),
        "parameters": [c.parameters for c in record.candidates if c.kept],
    }


def _search(record: Record) -> dict[str, Any]:
    kept = [
        {"candidate": c.id, "networks": c.networks, "score": c.score, "standard_error": c.error}
        for c in record.candidates
        if c.kept
    ]
    return {
        "candidates_looked_at": len(record.candidates),
        "cv": record.cv,
        "repeats": record.repeats,
        **({} if record.rolling is None else {"rolling": dict(record.rolling)}),
        "best_of_n_bias": None if record.counts is None else record.counts.as_dict(),
        "kept": kept,
        "front": None if record.front is None else record.front.as_dict(),
        "space": dict(record.search_space),
    }


def _scores(scores: Mapping[str, Interval]) -> dict[str, Any]:
    return {name: interval.as_dict() for name, interval in scores.items()}


def _verdict(record: Record) -> dict[str, Any]:
    verdict = record.verdict
    return {
        "overfitting": verdict.overfitting,
        "beats_baselines": bool(verdict.beats_baselines),
        "text": verdict.text,
        "overfitting_text": verdict.overfitting_text,
        "overfitting_advice": verdict.overfitting_advice,
        "baselines_text": verdict.baselines_text,
    }


def _on_test_rows(record: Record) -> dict[str, Any]:
    rows = record.test_rows
    if record.reconstruction is not None:
        return {"reconstruction": _reconstruction(record.reconstruction)}
    steps: dict[str, Any] = {} if rows.series is None else {"steps": len(rows.series)}
    bars = record.error_bars
    held: dict[str, Any] = {} if rows.coverage is None else {"coverage": _coverage(rows.coverage, bars)}
    if bars is not None:
        held["calibration"] = _calibration(bars)
        if bars.nll is not None:
            held["negative_log_likelihood"] = bars.nll.as_dict()
        if bars.quantile_levels:
            pairs = zip(bars.quantile_levels, bars.quantile_shares, strict=True)
            held["quantiles"] = [{"level": level, "below": share.as_dict()} for level, share in pairs]
        if bars.outside is not None:
            region = {"rate": bars.outside_rate, "rows": bars.outside_rows, "test": bars.outside.as_dict()}
            held["outside"] = region
    if rows.weights is not None:
        effective, negative = effective_number(rows.weights), negative_fraction(rows.weights)
        steps["weights"] = {"effective_test_rows": effective, "negative_fraction": negative}
    if record.overtraining is not None:
        steps["overtraining"] = record.overtraining.as_dict()
    if record.selection is not None:
        steps["selection"] = record.selection.as_dict()
    if record.data.task == Task.CLASSIFICATION and rows.probabilities is not None:
        from shoal.statistics.metrics import confusion_matrix

        matrix = confusion_matrix(rows.truth, rows.probabilities, rows.weights)
        return {**steps, "confusion_matrix": {"classes": list(record.data.classes), "rows_are_true": matrix}, **held}
    return {**steps, **held}


def _coverage(held: Interval, bars: ErrorBars | None) -> dict[str, Any]:
    """Return the share of test values inside their interval or set, with what was to be held and how it was made."""
    if bars is None:
        return held.as_dict()
    made = {"level": bars.level, "made": bars.how, "promised": bars.promised}
    sets = {} if bars.set_size is None else {"mean_classes_in_a_set": bars.set_size}
    return {**held.as_dict(), **made, **sets}


def _calibration(bars: ErrorBars) -> dict[str, Any]:
    """Return how predictions were calibrated, and the scores before and after."""
    found: dict[str, Any] = {"method": bars.calibration, "parameters": list(bars.parameters), "reason": bars.reason}
    for score, parts in bars.scores.items():
        found[score] = {
            part: {"before": both.before.as_dict(), "after": both.after.as_dict()} for part, both in parts.items()
        }
    if bars.scores:
        from shoal.prediction.calibration import ECE

        found["definition"] = ECE
    if bars.disagreement is not None:
        found["share_of_disagreement"] = bars.disagreement
    if bars.levels:
        found["coverage_by_level"] = [
            {"level": level, "before": before.as_dict(), "after": after.as_dict()}
            for level, before, after in zip(bars.levels, bars.before, bars.after, strict=True)
        ]
    return found


def _measured(found: MeasuredRecord) -> dict[str, Any]:
    from dataclasses import asdict

    targets = {
        name: {
            **{part: asdict(of_targets[name]) for part, of_targets in found.parts.items()},
            "intrinsic_scatter": scatter.as_dict(),
        }
        for name, scatter in found.scatter.items()
    }
    replicas = {} if found.replicas is None else {"replicas": asdict(found.replicas)}
    covariance = {} if found.covariance is None else {"covariance": found.covariance}
    return {"columns": list(found.columns), **covariance, "text": found.text, "targets": targets, **replicas}


def _reconstruction(found: ReconstructionRecord) -> dict[str, Any]:
    from shoal.search.results.ranking import WITHIN

    return {
        "bottleneck": found.bottleneck,
        "best_score_by_bottleneck": {str(size): score for size, score in found.sizes},
        "rule": f"the smallest bottleneck whose best score is within {WITHIN:.0%} of the best",
        "anomalies": {
            "threshold": found.threshold,
            "false_alarm_rate": found.false_alarm_rate,
            "test": found.alarms.as_dict(),
        },
    }


def _data(record: Record) -> dict[str, Any]:
    data = record.data
    return {
        "name": data.name,
        "sha256": data.sha256,
        "task": data.task_name,
        "classes": list(data.classes),
        "features": list(data.feature_names),
        "split": data.split,
        "normalization": data.normalization,
        "notes": list(data.notes),
        "warnings": list(data.warnings),
    }


def _units(record: Record) -> dict[str, Any]:
    """Return the units of columns and of scores, where they are known."""
    scores = {name: unit for name in record.scores.get("test", {}) if (unit := record.data.score_unit(name))}
    return {"units": {"columns": dict(record.data.units), "scores": scores}} if record.data.units else {}


def _seconds(seconds: Mapping[str, float]) -> dict[str, float]:
    first = ("total", "compile", "train")
    named = {name: seconds.get(name, math.nan) for name in first}
    return {name: round(float(value), 3) for name, value in {**named, **seconds}.items()}
