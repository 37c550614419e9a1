"""What the page says of measured errors: chi-square, pulls, intrinsic scatter and replicas."""

from __future__ import annotations

from shoal.evaluation.chi_square import ChiSquare
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.pulls import MeasuredRecord
from shoal.report.tables import Table
from shoal.report.words import count, interval, label, number


def measured_table(record: Record) -> Table | None:
    """Return chi-square and pulls of each target on test and validation rows, and its intrinsic scatter."""
    measured = record.get(MeasuredRecord)
    if measured is None:
        return None
    header = ("rows", "χ² / ndf", "p-value", "mean of the pulls", "their width", "expected width")
    several = len(measured.scatter) > 1
    rows = [
        (f"{part}, {name}" if several else part, *_cells(found))
        for part, of_targets in measured.parts.items()
        for name, found in of_targets.items()
    ]
    units = record[DataRecord].units
    scatter = "; ".join(
        f"{label(f'intrinsic scatter{of}', units.get(name, ''))}: {interval(found)}"
        for name, found in measured.scatter.items()
        for of in ([f" of {name}"] if several else [""])
    )
    expected = "The expected width is above 1 by the error of the fit."
    if measured.covariance is not None:
        expected = (
            "With the covariance C, pulls are C^(−1/2) (true − predicted). Their expected width counts the error of "
            "the fit, and with replicas what rows share with those that taught the networks."
        )
    note = (
        f"{expected} Most likely {scatter}, from the validation rows, with the 95 % interval by the likelihood; a "
        "scatter whose interval begins at zero is not seen."
    )
    return Table(header, tuple(rows), note)


def _cells(found: ChiSquare) -> tuple[str, ...]:
    return (
        f"{found.chi2:.1f} / {found.ndf:.0f}",
        number(found.p_value, 2) if found.p_value >= 1e-4 else "< 0.0001",
        f"{found.mean:.2f} ± {found.mean_error:.2f}",
        f"{found.width:.2f} ± {found.width_error:.2f}",
        f"{found.expected:.2f}",
    )


def replicas_text(record: Record) -> str:
    """Return how the errors were carried through the fit, and what a prediction's total error joins."""
    measured = record.get(MeasuredRecord)
    if measured is None:
        return ""
    found = measured.replicas
    total = "The total error of a prediction joins the intrinsic scatter and the spread of the ensemble"
    if found is None:
        return f"{total}; it does not know the errors of the fit that the measured errors cause: add replicas for them."
    if found.used == 0:
        return f"{total}. No two replicas were trained to their end."
    left = f" {count(found.left_out, 'network')} that failed or had no time were left out." if found.left_out else ""
    return (
        f"The ensemble was trained {found.draws} times more, each time on its own answers redrawn within the "
        f"errors and the scatter of the rows, {count(found.trained, 'network')} in all.{left} How far they land from "
        f"it is the error of the fit, its bias included. {total}, and the distance of the replicas."
    )
