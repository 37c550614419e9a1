"""How well autoencoders reconstruct, which rows they find strange, and where the rows lie in the code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data import Dataset, Preparation
from shoal.data.conversion import to_labels, to_numbers
from shoal.evaluation.baselines.pca import Principal
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.networks.bottleneck import code_size
from shoal.prediction.autoencoder import anomaly_scores, codes, reconstruct
from shoal.results import Interval
from shoal.search.results.ranking import WITHIN, best_by_bottleneck, rank_candidates
from shoal.statistics.bootstrap import wilson
from shoal.training.member import TrainedMember

MOST_EXAMPLES = 12
MOST_POINTS = 500  # rows of a table whose columns are drawn against their reconstruction
MOST_NUMBERS = 2_000_000  # of the rows that the record holds
MOST_CLASSES = 10


@dataclass(frozen=True)
class ReconstructedRows:
    """Some test rows beside their reconstruction.

    `rows` `(few,)` are their places among the test rows; `truth` and `guess` are `(few, columns)` in units of the
    inputs' scatter for tables, `(few, *shape)` in their own units for images and series.
    """

    rows: np.ndarray
    truth: np.ndarray
    guess: np.ndarray


@dataclass(frozen=True)
class ReconstructionRecord:
    """What autoencoders made of the test rows.

    Attributes:
        kind: `table`, `images` or `series`.
        names: of the inputs, or of the channels.
        bottleneck: numbers of a code.
        sizes: each bottleneck that was tried, with the best validation score of its candidates.
        codes: `(rows, bottleneck)`, of the best network.
        plane: `(rows, 2 or 1)`, the codes along the first two principal components of those of the training rows.
        plane_shares: the share of the codes' variance along each.
        label_name, labels: what is known of the rows, text or numbers `(rows,)`; None where nothing is.
        scores: `(rows,)` anomaly scores.
        threshold, false_alarm_rate: the score above which a row is an anomaly, as of so many usual rows.
        alarms: share of the test rows above the threshold.
        usual: rows spread evenly over the scores.
        strangest: the rows with the highest scores, first to last.
        row_numbers: `(rows,)`, where the test rows stand in the data, from 1.
        noise: `(numbers,)`, root mean squared error of each input on validation rows.
    """

    kind: str
    names: tuple[str, ...]
    bottleneck: int
    sizes: tuple[tuple[int, float], ...]
    codes: np.ndarray
    plane: np.ndarray
    plane_shares: tuple[float, ...]
    label_name: str
    labels: np.ndarray | None
    scores: np.ndarray
    threshold: float
    false_alarm_rate: float
    alarms: Interval
    usual: ReconstructedRows
    strangest: ReconstructedRows
    row_numbers: np.ndarray
    noise: np.ndarray


def measure(evaluation: Evaluation) -> ReconstructionRecord | None:
    """Return what autoencoders made of the test rows; None where a target is predicted."""
    predictor, test = evaluation.fitted.predictor, evaluation.test
    alarm, preparation = predictor.alarm, predictor.preparation
    if alarm is None:
        return None
    scores, test_codes = anomaly_scores(predictor, test.x), codes(predictor, test.x)
    share = float((scores > alarm.threshold).mean())
    plane = Principal.fit(codes(predictor, evaluation.train.rows.x), 2)
    name, values = row_labels(evaluation.fitted.dataset, evaluation.fitted.split.test)
    signals = preparation.signals

    def shown(rows: np.ndarray) -> ReconstructedRows:
        guess = reconstruct(predictor, test.x[rows])
        return ReconstructedRows(rows, _shown(preparation, test.truth[rows]), _shown(preparation, guess))

    return ReconstructionRecord(
        kind="table" if signals is None else signals.kind,
        names=preparation.feature_names,
        bottleneck=code_size(predictor.members[0].network.layers) or 0,
        sizes=sizes_tried(evaluation.fitted.members),
        codes=test_codes,
        plane=plane.project(test_codes),
        plane_shares=tuple(plane.shares.tolist()),
        label_name=name,
        labels=values,
        scores=scores,
        threshold=alarm.threshold,
        false_alarm_rate=alarm.false_alarm_rate,
        alarms=Interval(share, *wilson(share, len(scores)), "wilson"),
        usual=shown(usual_rows(scores, test.truth.shape[1], table=signals is None)),
        strangest=shown(np.argsort(-scores, kind="stable")[:MOST_EXAMPLES]),
        row_numbers=evaluation.fitted.dataset.kept[evaluation.fitted.split.test] + 1,
        noise=predictor.noise,
    )


def sizes_tried(members: Sequence[TrainedMember]) -> tuple[tuple[int, float], ...]:
    """Return the best validation score of each bottleneck that was tried, the smallest first."""
    sizes = {m.member.candidate: code_size(m.network.layers) or 0 for m in members}
    each = len(members) // max(1, len(sizes))
    ranked = rank_candidates([m.member.candidate for m in members], [m.score for m in members], max(1, each))
    return tuple(best_by_bottleneck(ranked, sizes).items())


def row_labels(dataset: Dataset, rows: np.ndarray) -> tuple[str, np.ndarray | None]:
    """Return the name of the label and what it is in some rows: text for few classes, numbers, or None."""
    if dataset.label is None:
        return "", None
    series = dataset.table.get_column(dataset.label)
    if series.n_unique() > MOST_CLASSES + 1:
        if not series.dtype.is_numeric():
            return dataset.label, None
        numbers = to_numbers(series).fill_null(float("nan")).to_numpy()
        return dataset.label, np.asarray(numbers[rows], np.float64)
    return dataset.label, np.asarray(to_labels(series).fill_null("unknown").to_list(), np.str_)[rows]


def usual_rows(scores: np.ndarray, numbers: int, *, table: bool) -> np.ndarray:
    """Return rows to show, spread evenly over the scores: few images or series, many rows of a table.

    Example:
        >>> usual_rows(np.array([3.0, 1.0, 2.0]), 4, table=True).tolist()
        [1, 2, 0]
    """
    most = MOST_POINTS if table else MOST_EXAMPLES
    most = max(1, min(most, MOST_NUMBERS // max(1, numbers), len(scores)))
    order = np.argsort(scores, kind="stable")
    return order[np.linspace(0, len(order) - 1, most).round().astype(int)]


def _shown(preparation: Preparation, values: np.ndarray) -> np.ndarray:
    """Return images and series in their shape and unit; rows of a table as they are, scaled."""
    return values if preparation.signals is None else preparation.signals.unscaled(values)


def numbers(record: Record) -> dict[str, Any]:
    """Return the bottlenecks that were tried, and how many anomalies there are."""
    reconstruction = record[ReconstructionRecord]
    document = {
        "bottleneck": reconstruction.bottleneck,
        "best_score_by_bottleneck": {str(size): score for size, score in reconstruction.sizes},
        "rule": f"the smallest bottleneck whose best score is within {100 * WITHIN:.0f} % of the best",
        "anomalies": {
            "threshold": reconstruction.threshold,
            "false_alarm_rate": reconstruction.false_alarm_rate,
            "test": reconstruction.alarms.as_dict(),
        },
    }
    return {"reconstruction": document}


TOPIC = Topic(130, ReconstructionRecord, measure, numbers)
