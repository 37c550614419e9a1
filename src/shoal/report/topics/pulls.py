"""What the measured errors of the targets turned out to be: chi-square, pulls, intrinsic scatter and replicas."""

from __future__ import annotations

from collections.abc import Iterator

from shoal.evaluation.chi_square import ChiSquare
from shoal.evaluation.record import Record
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.pulls import MeasuredRecord, ReplicaCount
from shoal.report.blocks import Heading, Paragraph, PlainTable, Section
from shoal.report.words import count, fixed, integer, interval, label, number, sentence


def sections(record: Record) -> Iterator[Section]:
    """Give what is added to the section on predictions where errors were measured."""
    measured = record.get(MeasuredRecord)
    if measured is not None:
        yield Section(
            "predictions",
            51,
            (
                Heading("Measured errors"),
                Paragraph(sentence(measured.text)),
                pulls_table(record, measured),
                Paragraph(replicas_text(measured.replicas), "note"),
            ),
        )


def pulls_table(record: Record, measured: MeasuredRecord) -> PlainTable:
    """Return chi-square and pulls of each target on test and validation rows, and its intrinsic scatter."""
    header = ("rows", "χ² / ndf", "p-value", "mean of the pulls", "their width", "expected width")
    several = len(measured.scatter) > 1
    rows = tuple(
        (f"{part}, {name}" if several else part, *_cells(chi_square))
        for part, of_targets in measured.parts.items()
        for name, chi_square in of_targets.items()
    )
    units = record[DataRecord].units
    scatter = "; ".join(
        f"{label(f'intrinsic scatter{of}', units.get(name, ''))}: {interval(value)}"
        for name, value in measured.scatter.items()
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
    return PlainTable("Pulls (true − predicted) / measured error", header, rows, note, numeric=(1, 2, 3, 4, 5))


def _cells(pulls: ChiSquare) -> tuple[str, ...]:
    return (
        f"{fixed(pulls.chi2, 1)} / {integer(pulls.ndf)}",
        number(pulls.p_value, 2) if pulls.p_value >= 1e-4 else "< 0.0001",
        f"{fixed(pulls.mean, 2)} ± {fixed(pulls.mean_error, 2)}",
        f"{fixed(pulls.width, 2)} ± {fixed(pulls.width_error, 2)}",
        fixed(pulls.expected, 2),
    )


def replicas_text(replicas: ReplicaCount | None) -> str:
    """Return how the errors were carried through the fit, and what a prediction's total error joins."""
    joins = "The total error of a prediction joins the intrinsic scatter"
    total = f"{joins} and the spread of the ensemble"
    if replicas is None:
        return f"{total}; it does not know the errors of the fit that the measured errors cause: add replicas for them."
    if replicas.used == 0:
        return f"{total}. No two replicas were trained to their end."
    failed = replicas.left_out
    left = f" {count(failed, 'network')} that failed or had no time were left out." if failed else ""
    return (
        f"The ensemble was trained {replicas.draws} times more, each time on its own answers redrawn within the "
        f"errors and the scatter of the rows, {count(replicas.trained, 'network')} in all.{left} How far they land "
        f"from it is the error of the fit, its bias included. {joins}, the spread of the ensemble "
        "and the distance of the replicas."
    )
