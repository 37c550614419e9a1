"""The sentences of the page that depend on the run."""

from __future__ import annotations

from shoal.evaluation.cuts import Selection
from shoal.evaluation.explanation.importance import ImportanceTable
from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.predictions import TestRows
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.report.words import count, integer, joined, label, number
from shoal.results import Task
from shoal.statistics.bootstrap import resamples_for

_METHODS = {
    "bootstrap": (
        "the percentile bootstrap: the rows are drawn anew with replacement, the test rows {times} times, "
        "and the interval holds the middle 95 % of the scores (Efron 1979)"
    ),
    "block bootstrap": (
        "the percentile bootstrap of blocks: neighbouring rows overlap in time and are drawn together, the test rows "
        "{times} times (Politis and Romano 1992)"
    ),
    "cluster bootstrap": (
        "the percentile bootstrap of whole series, since the steps of one series are much alike: the test series are "
        "drawn anew with replacement {times} times (Field and Welsh 2007)"
    ),
    "basic bootstrap": (
        "the basic bootstrap: as before, but from twice the value less the upper end to twice it less the lower "
        "one, since errors of resamples lie too high (Davison and Hinkley 1997)"
    ),
    "basic cluster bootstrap": (
        "the basic bootstrap of whole groups, from twice the value less the upper end to twice it less the lower "
        "one, since errors of resamples lie too high (Davison and Hinkley 1997)"
    ),
    "wilson": (
        "Wilson's interval for a share, which holds even where all rows are right or all are wrong (Wilson 1927)"
    ),
}


def interval_methods(record: Record) -> tuple[tuple[str, str], ...]:
    """Return each way in which an interval of this page was made: what it was used for, and how it goes."""
    used: dict[str, list[str]] = {}
    groups = [*record[PartScores].parts.items(), *record[BaselineScores].scores.items()]
    for _, scores in groups:
        for metric, score in scores.items():
            names = used.setdefault(score.method, [])
            if label(metric) not in names:
                names.append(label(metric))
    coverage = record[TestRows].coverage
    if coverage is not None:
        used.setdefault(coverage.method, []).append("coverage of the error bars")
    bars = record.get(ErrorBars)
    if bars is not None and bars.scores:
        used.setdefault(bars.scores["calibration_error"]["test"].before.method, []).append("calibration error")
    steps = record[TestRows].series
    times = integer(resamples_for(record[SplitRecord].rows.get("test", 1) if steps is None else len(steps)))
    return tuple(
        (joined(names), _METHODS.get(method, method).replace("{times}", times)) for method, names in used.items()
    )


def training_of_a_candidate(record: Record) -> str:
    """Return how often each candidate was trained and on what, or nothing if once."""
    each, split = record[Candidates].networks_each, record[SplitRecord]
    if each == 1:
        return ""
    score = "A candidate's score is the mean over its networks, with its standard error"
    if split.cv is None:
        return f"Each candidate was trained {each} times, with other seeds. {score}."
    if split.rolling is not None:
        return (
            f"Each candidate was trained {each} times ({rounds(split.cv, split.repeats, True)}), each time on the "
            f"rows before a part of the rows in time, on which it was judged. {score}; the first folds learned from "
            "fewer rows, so that they may score worse. The networks of the last fold of each candidate that is kept "
            "make the ensemble; the others tell how well such networks predict what comes next."
        )
    return (
        f"Each candidate was trained {each} times ({rounds(split.cv, split.repeats)}), each time without one fold "
        f"of the rows, on which it was judged. {score}; the folds share training rows, so that the true error is "
        "a little larger."
    )


def rounds(cv: int | None, repeats: int, rolling: bool = False) -> str:
    """Return folds and repeats as people say them.

    >>> rounds(5, 2), rounds(None, 3), rounds(5, 1, rolling=True)
    ('5 folds × 2 repeats', '3 repeats', '5 rolling folds')
    """
    parts = [count(cv, "rolling fold" if rolling else "fold")] if cv else []
    return " × ".join([*parts, count(repeats, "repeat")] if repeats > 1 or not cv else parts)


def kept_scores(record: Record) -> str:
    """Return the mean scores of the best three kept candidates, or nothing where each is one network."""
    kept = [c for c in record[Candidates].ranked if c.kept][:3]
    if record[Candidates].networks_each == 1 or not kept:
        return ""
    shown = joined(f"{number(c.score)} ± {number(c.error, 2)} (candidate {c.id})" for c in kept)
    return f"Best scores, lower is better: {shown}.{_part_by_part(record, kept[0].id)}"


def _part_by_part(record: Record, candidate: int) -> str:
    """Return how the networks of a candidate did in each of rolling folds, which tells of a drift."""
    if record[SplitRecord].rolling is None:
        return ""
    own = [n for n in record[Candidates].networks if n.candidate_id == candidate]
    folds = [[n.score for n in own if n.fold == fold] for fold in range(record[SplitRecord].cv or 0)]
    each = joined(number(sum(scores) / len(scores)) for scores in folds)
    return (
        f" From part to part the best candidate scored {each}: falling scores tell of more rows to learn from, rising "
        "ones of a law that drifts."
    )


def sections(record: Record) -> tuple[tuple[str, str], ...]:
    """Return the parts of the page in order: anchor and short title."""
    found = "Classes" if record[DataRecord].task is Task.CLASSIFICATION else "Predictions"
    predictions: tuple[tuple[str, str], ...] = (("predictions", found),)
    if record.get(ReconstructionRecord) is not None:
        predictions = (("reconstruction", "Reconstruction"), ("codes", "Codes"), ("anomalies", "Anomalies"))
    if record.get(ErrorBars) is not None:
        predictions = (*predictions, ("error-bars", "Error bars"))
    selection = (("selection", "Selection"),) if record.get(Selection) is not None else ()
    examples = (("examples", "Examples"),) if record.get(SignalRecord) is not None else ()
    inside = (("inside", "Inside"),) if record.get(SignalRecord) is not None else ()
    importance = (("importance", "Importance"),) if record.get(ImportanceTable) is not None else ()
    return (
        ("verdict", "Verdict"),
        ("data", "Data"),
        ("split", "Split"),
        ("networks", "Networks"),
        ("curves", "Curves"),
        *predictions,
        *examples,
        ("baselines", "Baselines"),
        ("overfitting", "Overfitting"),
        *selection,
        *importance,
        ("best", "Best network"),
        *inside,
        ("method", "Intervals"),
        ("repeat", "Repeat it"),
    )
