"""An explanation as people read it: tables, sentences, and the figures with their numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.data.units import NO_UNITS
from shoal.evaluation.explanation.importance import ImportanceTable, scores_of
from shoal.evaluation.explanation.scores import Estimate
from shoal.report.words import count, fixed, integer, joined, number

if TYPE_CHECKING:
    from shoal.evaluation.explanation.attribution import Attribution
    from shoal.evaluation.explanation.explained import Explanation
    from shoal.evaluation.explanation.interactions import Interactions

TERMINAL_SCORES = 2
LINES = 30

TableRows = list[tuple[str, ...]]


def with_error(value: float, error: float) -> str:
    """Return a number with its standard error, both with the decimals of the error's second digit.

    >>> with_error(1.23456, 0.0123), with_error(1234.6, 56.0), with_error(0.5, float("nan"))
    ('1.235 ± 0.012', '1,235 ± 56', '0.500')
    """
    if not (math.isfinite(value) and math.isfinite(error) and error > 0):
        return number(value)
    decimals = max(1 - math.floor(math.log10(error)), 0)
    if decimals > 6 or max(abs(value), error) >= 1e6:
        return f"{number(value)} ± {number(error, 2)}"
    return f"{fixed(value, decimals)} ± {fixed(error, decimals)}"


def shown(estimate: Estimate) -> str:
    """Return an estimate with its error."""
    return with_error(estimate.value, estimate.error)


def importance_table(importance: ImportanceTable) -> tuple[tuple[str, ...], TableRows]:
    """Return header and rows of the table of importance; columns of a group follow it, each alone."""
    scores = scores_of(importance)[:TERMINAL_SCORES]
    header = ("permuted", *(score.change for score in scores))
    rows: TableRows = []
    for line, alone in importance.lines[:LINES]:
        name = f"   {line.columns[0]} (alone)" if alone else " + ".join(line.columns)
        rows.append((name, *(shown(line.scores[score.name]) for score in scores)))
    return header, rows


def importance_lines(importance: ImportanceTable) -> tuple[str, ...]:
    """Return how the importance was measured, and what misleads."""
    left = len(importance.lines) - LINES
    lines = [
        f"averaged over {count(importance.repeats, 'permutation')} of {integer(importance.rows)} {importance.on}; ± "
        "is the standard error, over rows, permutations and networks"
    ]
    if importance.alone:
        lines.append(
            f"columns that go together (|ρ| of {importance.above:g} or more) are permuted together; what a column of "
            "them matters alone misleads: the others stand in for it"
        )
    return tuple([*lines, f"{count(left, 'more line')} in the files"] if left > 0 else lines)


def effects_table(explanation: Explanation) -> tuple[tuple[str, ...], TableRows]:
    """Return header and rows of the effects: from which answer to which each column leads, and by which form."""
    forms = {"partial": "partial dependence", "accumulated": "accumulated effects"}
    rows: TableRows = []
    for effect in explanation.effects:
        curve, partial = effect.effect, effect.preferred == "partial"
        raised = curve.mean if partial else curve.mean + effect.level
        for k, output in enumerate(effect.outputs):
            low, high = int(raised[:, k].argmin()), int(raised[:, k].argmax())
            ends = (with_error(float(raised[i, k]), float(curve.members[i, k])) for i in (low, high))
            where = (value_text(effect.grid[i], effect.kind) for i in (low, high))
            texts = [f"{end} at {place}" for end, place in zip(ends, where, strict=True)]
            rows.append((effect.column, output, *texts, forms[effect.preferred]))
    return ("column", "answer", "least", "most", "form"), rows


def value_text(value: Any, kind: str) -> str:
    """Return a value of a column as people write it.

    >>> value_text(1.0, "boolean"), value_text(0.0, "date"), value_text(1.25, "number"), value_text("red", "category")
    ('true', '1970-01-01', '1.25', 'red')
    """
    from shoal.report.figures.partial_dependence import day_text
    from shoal.report.words import short

    if kind == "category":
        return str(value)
    if kind == "boolean":
        return "true" if value else "false"
    return day_text(float(value)) if kind == "date" else short(float(value))


def interactions_table(interactions: Interactions) -> tuple[tuple[str, ...], TableRows]:
    """Return header and rows of the interactions, the strongest first."""
    pairs = interactions.pairs[:LINES]
    rows: TableRows = [(" × ".join(pair.columns), shown(pair.strength), shown(pair.h)) for pair in pairs]
    return ("interaction", "strength", "Friedman's H"), rows


def attribution_title(attribution: Attribution) -> str:
    """Return of which answer the parts are."""
    row, number_in_data = attribution.row + 1, attribution.number
    of_data = f" (row {integer(number_in_data)} of the data)" if number_in_data and number_in_data != row else ""
    answer = with_error(attribution.answer, attribution.answer_members)
    return (
        f"row {row}{of_data}: answer for {attribution.output!r} {answer}, against {number(attribution.baseline)} for "
        f"{attribution.background}"
    )


def attribution_table(attribution: Attribution) -> tuple[tuple[str, ...], TableRows]:
    """Return header and rows of the parts of an answer, the largest first."""
    order = [int(i) for i in attribution.order[:LINES]]
    errors = [math.hypot(attribution.members[i], attribution.sampling[i]) for i in order]
    rows: TableRows = [
        (attribution.columns[i], attribution.values[i], with_error(float(attribution.parts[i]), error))
        for i, error in zip(order, errors, strict=True)
    ]
    return ("column", "value", "part of the answer"), rows


def attribution_lines(explanation: Explanation) -> tuple[str, ...]:
    """Return how the parts were found."""
    first = explanation.attributions[0]
    how = {
        "gradients": "integrated gradients, the mean over the networks; ± is their standard deviation",
        "shapley": "Shapley values by sampling, the mean over the networks; ± is their standard deviation and the "
        "error of sampling",
    }[first.method]
    worst = max((abs(part.residual) for part in explanation.attributions), default=0.0)
    left = f"; they miss the difference of the answers by {number(worst, 2)} at most" if worst > 1e-9 else ""
    return (f"{how}{left}. Parts tell what the networks go by, not causes",)


def write_explanation(
    explanation: Explanation, folder: str | Path, *, classes: bool, units: Mapping[str, str] = NO_UNITS
) -> list[Path]:
    """Write the figures of an explanation as SVG, PDF and CSV, and all of its numbers as JSON.

    Args:
        explanation: the explanation.
        folder: is made if it is missing.
        classes: whether the answers are probabilities.
        units: of columns, where they are known.

    Returns:
        The paths; the last is `explanation.json`, or `attribution.json` of single rows.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import publish_numbers
    from shoal.runs.documents import json_text, plain
    from shoal.runs.writing import write_atomically

    folder = Path(folder)
    written = publish_numbers(dict(_figures(explanation, classes, units)), folder)
    document = "attribution.json" if explanation.attributions else "explanation.json"
    write_atomically(folder / document, json_text(plain(explanation.as_dict())))
    return [*written, folder / document]


def _figures(explanation: Explanation, classes: bool, units: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Give name and numbers of each figure that an explanation has."""
    from shoal.report.figures import attribution, importance, interactions, partial_dependence

    if explanation.importance is not None:
        yield "importance", importance.figure_of(explanation.importance, units)
    known: dict[str, Any] = {"classes": classes, "units": units}
    if explanation.effects:
        yield "partial_dependence", partial_dependence.figure_of(explanation.effects, **known)
    if explanation.interactions is not None:
        yield "interactions", interactions.figure_of(explanation.interactions, **known)
    for answer in explanation.attributions:
        yield f"attribution_{answer.row + 1}", attribution.figure_of(answer, **known)


def notes(explanation: Explanation) -> tuple[str, ...]:
    """Return what is to be said beside the tables."""
    lines = list(explanation.notes)
    correlated = {effect.column for effect in explanation.effects if effect.together_with}
    if explanation.interactions is not None:
        touched = sorted({name for pair in explanation.interactions.pairs for name in pair.columns} & correlated)
        if touched:
            lines.append(
                f"interactions of {joined(touched)}, which go together with other columns, are to be taken with care: "
                "they ask about rows that may not exist"
            )
    return tuple(lines)
