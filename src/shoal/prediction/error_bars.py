"""Error bars measured on rows that trained no weight: average, then calibrate, then make conformal intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shoal.prediction.averages import NumberAverages
from shoal.prediction.calibration import choose_calibration, choose_scale
from shoal.prediction.conformal import Conformal, alike, fewest_rows
from shoal.prediction.input_noise import InputNoise
from shoal.prediction.intrinsic_scatter import MeasuredErrors, error_of_fit, intrinsic_scatter, total_error
from shoal.prediction.predictor import Predictor
from shoal.prediction.region import Region
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.statistics.decorrelation import independent


@dataclass(frozen=True)
class HeldOutRows:
    """Rows that trained no weight, by which error bars are measured.

    Attributes:
        x: prepared features.
        y: class numbers `(rows,)`, or values `(rows, targets)` in the target's units; of steps `(rows, time)` with -1,
            or `(rows, time, targets)` with NaN, where there is no target.
        weights: of the rows, any sign, or None.
        answering: `(members, rows)`, the members that each row neither taught nor stopped; None: it taught none.
        unlearned: alike, those that did not learn from it; None: `answering`.
        groups: `(rows,)` name of the group of each row, or None.
        column: the column of the groups.
        block: how many neighbouring rows of a series belong together.
        last: of rolling folds, `(rows,)`, whether a row judged the members that answer for new rows, those of the last
            fold; None where folds are not rolling.
        sigma: measured errors of the targets, `(rows, targets)`, or None.
        input_spread: how far answers move within the errors of the features, alike.
        class_weight: how much each class counted in training, `(classes,)`; None: all alike.
    """

    x: Any
    y: np.ndarray
    weights: np.ndarray | None = None
    answering: np.ndarray | None = None
    unlearned: np.ndarray | None = None
    groups: np.ndarray | None = None
    column: str | None = None
    block: int = 1
    last: np.ndarray | None = None
    sigma: np.ndarray | None = None
    input_spread: np.ndarray | None = None
    class_weight: np.ndarray | None = None

    def only(self, rows: np.ndarray) -> HeldOutRows:
        """Return some of the rows, `(rows,)` true or false."""
        names = ("x", "y", "weights", "groups", "last", "sigma", "input_spread")
        parts: dict[str, Any] = {name: None if (part := getattr(self, name)) is None else part[rows] for name in names}
        for name in ("answering", "unlearned"):
            parts[name] = None if (asked := getattr(self, name)) is None else asked[:, rows]
        return replace(self, **parts)

    def nearest(self, coverage: float) -> tuple[np.ndarray, str]:
        """Return by which rows intervals are measured, `(rows,)` true or false, and what is to be said of it.

        Of rolling folds by those of the last part, which are nearest to new rows and judged the members that answer for
        them; by all if these are too few (or come from too few groups) to promise the coverage.
        """
        everywhere = np.ones(len(self.y), bool)
        if self.last is None:
            return everywhere, ""
        count = int(self.last.sum()) if self.groups is None else len(np.unique(self.groups[self.last]))
        if count >= fewest_rows(coverage):
            return self.last, "which are the last part of the rolling folds"
        return everywhere, "each by the networks that learned from rows before it (rolling folds)"


@dataclass(frozen=True)
class HeldOutProbabilities:
    """Probabilities of the held-out rows, `(entries, classes)`.

    Attributes:
        before: as averaged over the members.
        after: the same, each calibrated by what the others say.
    """

    before: np.ndarray
    after: np.ndarray


@dataclass(frozen=True)
class CalibrationRecord:
    """What calibrating did, for the record.

    Attributes:
        reason: why probabilities or standard deviations were calibrated so, a sentence.
        probabilities: of the held-out rows; None for numbers.
    """

    reason: str
    probabilities: HeldOutProbabilities | None = None


def with_error_bars(
    predictor: Predictor, held: HeldOutRows, coverage: float = 0.95, seed: int = 0
) -> tuple[Predictor, CalibrationRecord]:
    """Return the predictor with calibrated predictions and conformal intervals or sets, and what calibrating did.

    With folds, the prediction of a held row is that of the members that did not learn from it (cross-conformal; Vovk,
    Ann. Math. Artif. Intell. 74, 9, 2015). New rows are predicted by the members of all folds, whose mean is a little
    better and less sure than that of one fold, so that error bars err on the wide side. Of rolling folds only the
    members of the last answer; see `shoal.prediction.out_of_fold`.

    Args:
        predictor: an ensemble with nothing known of its errors.
        held: rows that trained no weight.
        coverage: share of new values that intervals and sets are to hold.
        seed: names the random numbers.
    """
    if predictor.preparation.task is Task.CLASSIFICATION:
        return _of_classes(predictor, held, coverage, seed)
    return _of_numbers(predictor, held, coverage, seed)


def with_scatter(
    predictor: Predictor, columns: tuple[str, ...], held: HeldOutRows, covariance: Any = None
) -> Predictor:
    """Return the predictor with the intrinsic scatter of its targets, measured on rows that trained no weight.

    Args:
        predictor: an ensemble for numbers.
        columns: that hold the errors of the targets.
        held: these rows, with their errors.
        covariance: of the errors of the one target in these rows, `(rows, rows)`; None: they are independent. What rows
            share is learned with the law, so that the error which the data leave on the fit is not added once more.
    """
    assert held.sigma is not None
    prediction = predictor.predict_numbers(held.x, held.answering)
    sigma, residuals = predictor.effective_error(held.sigma, held.input_spread), held.y - prediction.mean
    variance = sigma**2 + error_of_fit(prediction) ** 2
    if covariance is not None and held.weights is None:  # scatter adds as much to each independent combination
        variances, combinations = independent(covariance, total_error(sigma, prediction.spread)[:, 0])
        variance, residuals = np.maximum(variances, 1e-12 * variances[-1])[:, None], combinations.T @ residuals
    scatter = [intrinsic_scatter(residuals[:, i], variance[:, i], held.weights) for i in range(residuals.shape[1])]
    return replace(predictor, measured=MeasuredErrors(columns, tuple(scatter)))


def with_region(predictor: Predictor, x: np.ndarray, seed: int, groups: np.ndarray | None = None) -> Predictor:
    """Return the predictor with the region of its training rows, where that makes sense: for tables that predict."""
    if predictor.preparation.signals is not None or predictor.preparation.task is Task.RECONSTRUCTION:
        return predictor
    return replace(predictor, region=Region.of(x, seed, groups))


def _of_classes(
    predictor: Predictor, held: HeldOutRows, coverage: float, seed: int
) -> tuple[Predictor, CalibrationRecord]:
    """Calibrate and make sets.

    Where classes weighed in training, probabilities answer for these weights, and are calibrated by them; sets hold the
    true class of rows as they are, whatever the probabilities mean.
    """
    prediction = predictor.predict_classes(held.x, held.answering)
    scored = Scored.of(Task.CLASSIFICATION, held.y, held.weights)
    before, belonging = scored.taken(prediction.probabilities), _belonging(held, scored)
    together = belonging["groups"] if belonging["groups"] is not None else _blocks(held, len(before))
    teaching = scored if held.class_weight is None else scored.weighed_by_class(held.class_weight)
    chosen = choose_calibration(before, scored.truth, teaching.weights, together, seed)
    after = chosen.probabilities
    scores = 1.0 - after[np.arange(len(after)), scored.truth][:, None]
    nearest, remark = held.nearest(coverage)
    if not nearest.all():
        held = held.only(nearest)
        scored, scores = Scored.of(Task.CLASSIFICATION, held.y, held.weights), scores[nearest]
        belonging = _belonging(held, scored)
    conformal = Conformal.of(scores, coverage, scored.weights, **belonging).with_remark(remark)
    fitted = replace(predictor, calibration=chosen.calibration, conformal=conformal, quantile=conformal.quantile)
    return fitted, CalibrationRecord(chosen.reason, HeldOutProbabilities(before, after))


def _of_numbers(
    predictor: Predictor, held: HeldOutRows, coverage: float, seed: int
) -> tuple[Predictor, CalibrationRecord]:
    """Measure noise, scale and interval.

    The noise, unless the networks predict it, is what the spread of the members and the errors of the features leave
    unexplained: `noise² = max(0, mean(r² - spread² - input_spread²))`. The spread
    over all members would not do where there are folds: those that learned from a row are drawn to it and so disagree
    with the others just where the residual is large, and the interval would come out too small.
    """
    nearest, remark = held.nearest(coverage)
    held = held if nearest.all() else held.only(nearest)
    predictor = _with_input_noise(predictor, held)
    averages, scored = _averages(predictor, held)
    weights, belonging = scored.weights, _belonging(held, scored)
    averages, residuals = _of_all_networks(predictor, held, averages, scored)
    noisy = predictor
    if averages.variance is None:
        of_entries = None if weights is None else np.asarray(weights, np.float64).reshape(len(residuals))
        explained = averages.spread**2
        if averages.input_spread is not None:
            explained = explained + averages.input_spread**2
        unexplained = np.average(residuals**2 - explained, axis=0, weights=of_entries)
        floor = 1e-6 * predictor.preparation.target_scale
        noisy = replace(predictor, noise=np.sqrt(np.maximum(unexplained, floor**2)))
    together = belonging["groups"] if belonging["groups"] is not None else _blocks(held, len(residuals))
    scale = choose_scale(residuals, noisy.std(averages), weights, together, seed)
    scaled = replace(noisy, scale=scale)
    below, above = scaled.sides(averages)
    ratios = np.abs(residuals) / np.where(residuals < 0.0, below, above)
    conformal = Conformal.of(ratios, coverage, weights, **belonging)
    if held.last is not None:
        conformal = conformal.with_remark(remark)
    elif held.answering is not None and len({member.repeat for member in predictor.members}) == 1:
        taken = weights if belonging["groups"] is None else alike(belonging["groups"], weights)
        conformal = conformal.with_folds(_fold_scores(scaled, held.answering, scored, ratios, taken))
    return replace(scaled, conformal=conformal, quantile=conformal.quantile), CalibrationRecord(_reason(scale))


def _reason(scale: np.ndarray) -> str:
    """Return why standard deviations were scaled or not, a sentence."""
    if (scale == 1.0).all():
        return "no scaling of the standard deviations lowered the cross-fitted loss by more than its standard error"
    return f"standard deviations were scaled by {', '.join(f'{factor:.3g}' for factor in scale)}"


def _with_input_noise(predictor: Predictor, held: HeldOutRows) -> Predictor:
    """Return the predictor with how much the errors of the features count, where they have any."""
    if held.input_spread is None:
        return predictor
    prediction = predictor.predict_numbers(held.x, held.answering)
    known = total_error(held.sigma, error_of_fit(prediction)) ** 2
    learned = None if prediction.noise is None else prediction.noise**2
    noise = InputNoise.of(held.y - prediction.mean, known, held.input_spread, learned, held.weights)
    return replace(predictor, input_noise=noise)


def _averages(predictor: Predictor, held: HeldOutRows) -> tuple[NumberAverages, Scored]:
    """Return what the members say of each held-out row or step on average, and the truth."""
    prediction = predictor.predict_numbers(held.x, held.answering, input_spread=held.input_spread)
    scored = Scored.of(Task.REGRESSION, held.y, held.weights)
    if scored.present is not None:
        prediction = prediction.at(scored.present)
    variance = None if prediction.noise is None else prediction.noise**2
    of_members: dict[str, Any] = {"spread": prediction.spread, "input_spread": prediction.input_spread}
    return NumberAverages(prediction.mean, variance, prediction.quantiles, **of_members), scored


def _of_all_networks(
    predictor: Predictor, held: HeldOutRows, averages: NumberAverages, scored: Scored
) -> tuple[NumberAverages, np.ndarray]:
    """Return what all networks say that did not learn from a row, and residuals of the size of theirs.

    A row judges but half of them, the others were stopped by it. Of halves of equal size the mean square of the
    residuals is that of all together and, beside it, that of how far the mean of a half lies from the mean of all
    (Krogh and Vedelsby, NIPS 7, 1995), which needs no truth and so is not flattered by those that the row stopped.
    """
    residuals = scored.truth - averages.mean
    if held.unlearned is None:
        return averages, residuals
    of_all, _ = _averages(predictor, replace(held, answering=held.unlearned))
    weights = None if scored.weights is None else np.asarray(scored.weights, np.float64).reshape(len(residuals))
    apart, size = (np.average(part**2, axis=0, weights=weights) for part in (averages.mean - of_all.mean, residuals))
    left = np.clip(1.0 - apart / np.maximum(size, 1e-300), 0.25, 1.0)
    return replace(of_all, mean=averages.mean), residuals * np.sqrt(left)


def _fold_scores(
    predictor: Predictor, answering: np.ndarray, scored: Scored, ratios: np.ndarray, weights: np.ndarray | None
) -> list[tuple[int, int, np.ndarray, np.ndarray | None]]:
    """Return fold, repeat, scores and weights of the rows of each fold.

    Where rows were dealt to folds anew in several repeats, a row's score is that of its members in all of them, and no
    part of the ensemble is theirs alone; the interval is then that about the mean of all.
    """
    folds = np.asarray([member.fold for member in predictor.members])
    fold_of = folds[answering.argmax(axis=0)]  # of each row
    if scored.present is not None:
        fold_of = np.broadcast_to(fold_of[:, None], scored.present.shape)[scored.present]
    repeat, parts = predictor.members[0].repeat, []
    for fold in np.unique(fold_of):
        entries = fold_of == fold
        parts.append((int(fold), repeat, ratios[entries], None if weights is None else weights[entries]))
    return parts


def _belonging(held: HeldOutRows, scored: Scored) -> dict[str, Any]:
    """Return to what each entry belongs, and the column that says so of new rows."""
    if held.groups is None:
        return {"groups": scored.series, "column": None, "what": "series"}
    groups = held.groups
    if scored.present is not None:
        groups = np.broadcast_to(groups[:, None], scored.present.shape)[scored.present]
    return {"groups": groups, "column": held.column, "what": "groups"}


def _blocks(held: HeldOutRows, entries: int) -> np.ndarray | None:
    """Return the number of the block of neighbouring rows of each entry; None where rows stand for themselves."""
    return None if held.block == 1 else np.arange(entries) // held.block
