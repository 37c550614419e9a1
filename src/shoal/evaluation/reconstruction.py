"""How well autoencoders reconstruct, which rows they find strange, and where the rows lie in the code."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from shoal.data import Dataset, Preparation, Split
from shoal.data.conversion import labels, to_numbers
from shoal.evaluation.baselines.pca import Principal
from shoal.evaluation.record import ReconstructedRows, ReconstructionRecord
from shoal.networks.bottleneck import code_size
from shoal.prediction.autoencoder import anomaly_scores, check_reconstructs, codes, reconstruct
from shoal.prediction.predictor import Predictor
from shoal.results import Interval
from shoal.search.results.ranking import best_by_bottleneck, rank_candidates
from shoal.statistics.bootstrap import wilson
from shoal.training.member import TrainedMember

MOST_EXAMPLES = 12
MOST_POINTS = 500  # rows of a table whose columns are drawn against their reconstruction
MOST_NUMBERS = 2_000_000  # of the rows that the record holds
MOST_CLASSES = 10


def simple_reconstructions(
    train: np.ndarray, test: np.ndarray, components: int, weights: np.ndarray | None, seed: int
) -> dict[str, np.ndarray]:
    """Return what simple methods make of test rows: the mean, and as many principal components as a code has numbers.

    Args:
        train: scaled training rows `(rows, numbers)`, from which they learn.
        test: scaled test rows.
        components: the size of the code.
        weights: of the training rows, or None.
        seed: see `Principal.fit`.
    """
    principal = Principal.fit(train, components, weights, seed)
    return {"mean": np.tile(principal.mean, (len(test), 1)), "pca": principal.reconstruct(test)}


def reconstruction_record(
    predictor: Predictor,
    members: Sequence[TrainedMember],
    dataset: Dataset,
    split: Split,
    train: np.ndarray,
    test: tuple[np.ndarray, np.ndarray],
) -> ReconstructionRecord:
    """Return what the page says of a reconstruction.

    Args:
        predictor: the ensemble with its threshold.
        members: all networks that were trained.
        dataset: the data.
        split: their split.
        train: prepared training rows, from which the plane of the codes is taken.
        test: prepared and scaled test rows.
    """
    x, truth = test
    alarm, scores, own = check_reconstructs(predictor), anomaly_scores(predictor, x), codes(predictor, x)
    share = float((scores > alarm.threshold).mean())
    plane = Principal.fit(codes(predictor, train), 2)
    name, values = row_labels(dataset, split.test)
    preparation = predictor.preparation
    few, strange = usual_rows(scores, truth.shape[1], table=preparation.signals is None), strangest_rows(scores)

    def shown(rows: np.ndarray) -> ReconstructedRows:
        guess = reconstruct(predictor, x[rows])
        return ReconstructedRows(rows, _shown(preparation, truth[rows]), _shown(preparation, guess))

    signals = preparation.signals
    return ReconstructionRecord(
        kind="table" if signals is None else signals.kind,
        names=preparation.feature_names,
        bottleneck=code_size(predictor.members[0].network.layers) or 0,
        sizes=sizes_tried(members),
        codes=own,
        plane=plane.project(own),
        plane_shares=tuple(plane.shares.tolist()),
        label_name=name,
        labels=values,
        scores=scores,
        threshold=alarm.threshold,
        false_alarm_rate=alarm.false_alarm_rate,
        alarms=Interval(share, *wilson(share, len(scores)), "wilson"),
        usual=shown(few),
        strangest=shown(strange),
        row_numbers=dataset.kept[split.test] + 1,
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
    return dataset.label, np.asarray(labels(series).fill_null("unknown").to_list(), np.str_)[rows]


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


def strangest_rows(scores: np.ndarray) -> np.ndarray:
    """Return the rows with the highest scores, the strangest first."""
    return np.argsort(-scores, kind="stable")[:MOST_EXAMPLES]


def _shown(preparation: Preparation, values: np.ndarray) -> np.ndarray:
    """Return images and series in their shape and unit; rows of a table as they are, scaled."""
    return values if preparation.signals is None else preparation.signals.unscaled(values)
