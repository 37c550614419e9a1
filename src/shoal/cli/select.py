"""`shoal select`: a cut on the score of a run, for the yields that are expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import Json, RunArgument

if TYPE_CHECKING:
    from shoal.evaluation.cuts import Selection

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="[DATA]",
        help="other labelled rows; by default the validation rows choose the cut and the test rows are quoted",
    ),
]
SignalYield = Annotated[float, typer.Option("--signal-yield", help="expected signal events before the cut")]
BackgroundYield = Annotated[float, typer.Option("--background-yield", help="expected background events before the cut")]
Uncertainty = Annotated[
    float, typer.Option("--background-uncertainty", help="relative uncertainty of the background, e.g. 0.1")
]
Regular = Annotated[float, typer.Option("--b-reg", help="background added in the AMS")]
Measure = Annotated[
    str, typer.Option("--measure", help="what the cut makes large: asimov, ams, s/sqrt(b) or s/sqrt(s+b)")
]
Signal = Annotated[
    str | None,
    typer.Option("--signal", help="the class that is the signal; by default the one named so, or the second"),
]
Out = Annotated[str | None, typer.Option("--out", "-o", metavar="FOLDER", help="write figures and their numbers here")]


@with_settings(READING)
def select(
    run: RunArgument,
    data: Data = None,
    *,
    signal_yield: SignalYield,
    background_yield: BackgroundYield,
    background_uncertainty: Uncertainty = 0.0,
    b_reg: Regular = 10.0,
    measure: Measure = "asimov",
    signal: Signal = None,
    out: Out = None,
    settings: dict[str, Any],
    as_json: Json = False,
) -> None:
    """Choose a cut on the score for expected yields, and quote it on rows that did not choose it."""
    from shoal.after.selecting import select as select_cut
    from shoal.cli.output import print_json

    selection = select_cut(
        run,
        data,
        signal_yield=signal_yield,
        background_yield=background_yield,
        background_uncertainty=background_uncertainty,
        b_reg=b_reg,
        measure=measure,
        signal=signal,
        options=read_options(settings),
    )
    if out is not None:
        from shoal.report.topics.selection import write_selection

        write_selection(selection, out)
    if as_json:
        print_json(selection.as_dict())
    else:
        _print(selection, out)


def _print(selection: Selection, out: str | None) -> None:
    from shoal.cli.output import print_table, print_text
    from shoal.report.topics.selection import selection_lines, selection_rows

    print_table((f"on the {selection.quoted_on}", "value [95 %]"), selection_rows(selection))
    for line in selection_lines(selection):
        print_text(line)
    if out is not None:
        print_text(f"figures: {out}")
