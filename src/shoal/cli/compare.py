"""`shoal compare`: runs beside each other on their common test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from shoal.cli.options import Json

if TYPE_CHECKING:
    from shoal.evaluation.compare import Comparison

Runs = Annotated[
    list[str], typer.Argument(metavar="RUN RUN...", help="folders of runs; the others are compared with the first")
]


def compare(runs: Runs, *, as_json: Json = False) -> None:
    """Compare runs in pairs on the test rows that they have in common."""
    from shoal.after.comparing import compare as compare_runs
    from shoal.cli.output import print_json
    from shoal.run import load

    comparison = compare_runs(*runs)
    if as_json:
        print_json(comparison.as_dict())
    else:
        print_comparison(comparison, load(runs[0]).score_units)


def print_comparison(comparison: Comparison, units: dict[str, str]) -> None:
    """Print the scores of each run, the differences from the first, and what follows."""
    from shoal.cli.output import interval, label, print_table, print_text
    from shoal.report.words import number

    metrics = list(next(iter(comparison.scores.values())))
    heads = [f"{label(m, units.get(m, ''))} [95 %]" for m in metrics]
    rows = [(name, *(interval(scores[m]) for m in metrics)) for name, scores in comparison.scores.items()]
    print_table((f"on {comparison.rows} test rows", *heads), rows)
    first = next(iter(comparison.scores))
    rows = [(pair.name, *(interval(pair.differences[m]) for m in metrics)) for pair in comparison.pairs]
    print_table((f"minus {first}, in pairs", *heads), rows)
    for pair in comparison.pairs:
        if pair.folds is not None:
            each = f"{pair.folds.folds} folds × {pair.folds.repeats}"
            print_text(
                f"{pair.name}: loss of the best candidate over {each}: {interval(pair.folds.difference)}, "
                f"t = {number(pair.folds.t)}, p = {number(pair.folds.p, 2)} (corrected resampled t)"
            )
    for sentence in comparison.sentences:
        print_text(sentence)
    if comparison.looks is not None and comparison.looks.sentence:
        print_text(comparison.looks.sentence)
