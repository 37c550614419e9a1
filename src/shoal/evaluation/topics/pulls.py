"""What the measured errors of the targets turned out to be: chi-square, pulls and intrinsic scatter."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from shoal.evaluation.chi_square import LEVEL, ChiSquare, Finding, chi_square
from shoal.evaluation.evaluation import Evaluation
from shoal.evaluation.record import Record
from shoal.evaluation.topics.base import Topic
from shoal.prediction.correlated_errors import learned_errors
from shoal.prediction.intrinsic_scatter import error_of_fit
from shoal.prediction.prediction import NumberPrediction, Prediction
from shoal.results import Interval, in_number, readable
from shoal.training.heads import VALUE


@dataclass(frozen=True)
class ReplicaCount:
    """How many draws of the target errors were asked for and used, and how many networks were trained and left out."""

    draws: int
    used: int
    trained: int
    left_out: int


@dataclass(frozen=True)
class MeasuredRecord:
    """What the measured errors of the targets turned out to be.

    Attributes:
        columns: that hold them.
        parts: `test` and `validation`, each with the chi-square of every target.
        scatter: the intrinsic scatter of each target, from the validation rows.
        text: one sentence for each target.
        replicas: None where there are none.
        covariance: the file that holds the covariance of the errors, None where they are independent.
    """

    columns: tuple[str, ...]
    parts: dict[str, dict[str, ChiSquare]]
    scatter: dict[str, Interval]
    text: str
    replicas: ReplicaCount | None = None
    covariance: str | None = None


def errors_sentence(target: str, test: ChiSquare, scatter: Interval, targets: int = 1) -> str:
    """Return what chi-square and pulls of the test rows say of the measured errors of a target.

    Args:
        target: its name.
        test: chi-square and pulls of the test rows.
        scatter: the intrinsic scatter, from the validation rows.
        targets: of how many it is one; right errors of any of them are called wrong in about 5 % of the cases.

    Example:
        >>> test = ChiSquare(80.0, 80.0, 0.48, 0.0, 0.1, 1.0, 0.08)
        >>> errors_sentence("y", test, Interval(0.0, 0.0, 0.1, "likelihood"))
        'The scatter of y about the networks agrees with its measured errors: its pulls have width 1.00 ± 0.08.'
    """
    most = test if test.rest is None else test.rest
    finding = test.finding(LEVEL / targets)
    width = f"{most.width:.2f} ± {most.width_error:.2f}"
    beyond = f"about {most.expected:.2f}" if most.expected >= 1.005 else "1"
    of_most = "" if test.rest is None else f" of the other {most.ndf:.0f} rows"
    text = {
        Finding.RIGHT: f"The scatter of {target} about the networks agrees with its measured errors: its pulls"
        f"{of_most} have width {width}.",
        Finding.TOO_SMALL: f"The measured errors of {target} are weights only, for its pulls{of_most} have width "
        f"{width} instead of {beyond}: the errors are about {most.factor:.1f} times too small, or the networks miss "
        f"structure, or there is intrinsic scatter of about {scatter.value:.2g}.",
        Finding.TOO_LARGE: f"The measured errors of {target} are weights only, for its pulls{of_most} have width "
        f"{width} instead of 1: the errors are about {1.0 / max(most.width, 1e-300):.1f} times too large.",
        Finding.HEAVY_TAILS: f"The pulls of {target}{of_most} have heavier tails than normal errors: 68 % of them lie "
        f"within {most.core:.2f}, but their width is {width} instead of {beyond}. The measured errors are too small "
        "for some rows, not for all alike.",
        Finding.BIASED: f"The pulls of {target}{of_most} are shifted: their mean is {readable(round(most.mean, 2))} ± "
        f"{most.mean_error:.2f} instead of 0, so that the networks are off by more than its measured errors explain.",
        Finding.HIDDEN: f"Nothing can be said of the measured errors of {target}: the error of the fit is "
        f"{_times(most)} as large, and hides them. The pulls{of_most} have width {width}, about {most.expected:.2f} is "
        "expected.",
        Finding.TOO_FEW: f"{most.ndf:.0f} rows are too few to judge the measured errors of {target}: its pulls have "
        f"width {width}, and errors that are half as large again would not show.",
    }[finding]
    return text if test.rest is None else f"{_outliers_sentence(target, test)} {text}"


def _outliers_sentence(target: str, test: ChiSquare) -> str:
    rows, lie = ("row", "lies") if test.outliers == 1 else ("rows", "lie")
    largest = f"{test.largest:.0f} measured errors away"
    far = largest if test.outliers == 1 else f"up to {largest}"
    return (
        f"{test.outliers} {rows} of {target} {lie} far outside all others, {far}: χ² is {test.chi2:.1f} with and "
        f"{test.rest.chi2 if test.rest else test.chi2:.1f} without them. Look at these rows."
    )


def _times(pulls: ChiSquare) -> str:
    return f"{(pulls.expected**2 - 1.0) ** 0.5:.1f} times"


def of_rows(evaluation: Evaluation, part: str) -> dict[str, ChiSquare]:
    """Return chi-square and pulls of each target on the `validation` or `test` rows, by their covariance if known."""
    predictor, dataset, split = evaluation.fitted.predictor, evaluation.fitted.dataset, evaluation.fitted.split
    rows = split.test if part == "test" else evaluation.validation_rows
    prediction, truth, weights, moved = _predicted(evaluation, part)
    errors = dataset.y_err()
    assert errors is not None
    assert isinstance(prediction, NumberPrediction)  # only numbers have measured errors
    sigma = predictor.effective_error(errors[rows], moved)
    covariance, learned = None, None
    if dataset.covariance is not None and dataset.covariance.correlated:
        covariance = dataset.covariance.of(rows)
        learned = learned_errors(predictor, dataset, split, rows, evaluation.seed, sigma[:, 0])
    residuals, fit = truth - prediction.mean, error_of_fit(prediction) if learned is None else prediction.spread
    return {
        name: chi_square(residuals[:, i], sigma[:, i], weights, fit[:, i], covariance, learned)
        for i, name in enumerate(prediction.targets)
    }


def _predicted(
    evaluation: Evaluation, part: str
) -> tuple[Prediction, np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Return prediction, truth, weights and spread by the errors of the features of some rows."""
    if part == "test":
        test = evaluation.test
        return test.prediction, test.truth, test.weights, test.input_spread
    validation = evaluation.validation
    return validation.prediction, validation.rows.y, validation.rows.weights, validation.input_spread


def measure(evaluation: Evaluation) -> MeasuredRecord | None:
    """Return what the measured errors turned out to be, where there are any."""
    fitted, predictor = evaluation.fitted, evaluation.fitted.predictor
    if predictor.measured is None:
        return None
    covariance = None if fitted.dataset.covariance is None else fitted.dataset.covariance.name
    parts = {part: of_rows(evaluation, part) for part in ("test", "validation")}
    scatter = dict(zip(parts["test"], predictor.measured.scatter, strict=True))
    text = " ".join(errors_sentence(name, test, scatter[name], len(scatter)) for name, test in parts["test"].items())
    text = in_number(text, len(evaluation.scored.members))
    if any(interval.low > 0.0 for interval in scatter.values()):
        text += (
            " Fit with scatter=constant, so that rows count with 1 / (σ² + s²) in training, too."
            if predictor.head == VALUE
            else " The networks have learned a scatter beside the errors, and predictions count it."
        )
    if predictor.input_noise is not None:
        text += (
            " The pulls count the errors of the features beside those of the targets: where they are too wide, it may "
            "be that these are too small, or that the answer bends too much within them."
        )
    if covariance is not None:
        text += f" The pulls are decorrelated by the covariance of the errors in {covariance}."
    counts, draws = None, fitted.settings.replicas
    if draws is not None:
        trained, used = draws * len(predictor.members), {replica.draw for replica in predictor.replicas}
        counts = ReplicaCount(draws, len(used), trained, trained - len(predictor.replicas))
    return MeasuredRecord(predictor.measured.columns, parts, scatter, text, counts, covariance)


def numbers(record: Record) -> dict[str, Any]:
    """Return chi-square, pulls and scatter of each target, and how many replicas there are."""
    measured = record[MeasuredRecord]
    targets = {
        name: {
            **{part: asdict(of_target[name]) for part, of_target in measured.parts.items()},
            "finding": measured.parts["test"][name].finding(LEVEL / len(measured.scatter)).value,
            "intrinsic_scatter": scatter.as_dict(),
        }
        for name, scatter in measured.scatter.items()
    }
    document: dict[str, Any] = {"columns": list(measured.columns)}
    if measured.covariance is not None:
        document["covariance"] = measured.covariance
    document |= {"text": measured.text, "targets": targets}
    if measured.replicas is not None:
        document["replicas"] = asdict(measured.replicas)
    return {"measured_errors": document}


TOPIC = Topic(150, MeasuredRecord, measure, numbers)
