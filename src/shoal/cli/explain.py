"""`shoal explain`: what the networks of a run look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import Json, Quiet, RunArgument

if TYPE_CHECKING:
    from shoal.evaluation.explanation.explained import Explanation

Data = Annotated[
    str | None,
    typer.Argument(metavar="[DATA]", help="other rows; by default the validation rows. Importance needs their targets"),
]
Column = Annotated[
    list[str] | None,
    typer.Option("--column", "-c", help="whose effect is wanted; may be repeated (default: the six most important)"),
]
Row = Annotated[
    list[int] | None,
    typer.Option("--row", help="take apart the answer for this row, counted from 1, and nothing else; may be repeated"),
]
Of = Annotated[str | None, typer.Option("--of", help="the class or target that is asked about")]
Repeats = Annotated[int, typer.Option("--repeats", help="permutations of each column")]
GroupAbove = Annotated[
    float, typer.Option("--group-above", help="|Spearman| from which on columns are permuted together")
]
Pairs = Annotated[
    int, typer.Option("--interactions", help="how many of the most important columns to look at in pairs; 0: none")
]
Ice = Annotated[bool, typer.Option("--ice", help="effects of single rows, too (individual conditional expectation)")]
Method = Annotated[
    str, typer.Option("--method", help="how to take answers apart: auto, gradients (of numbers) or shapley")
]
MostRows = Annotated[int, typer.Option("--most-rows", help="of more rows, draw so many at random")]
Boundary = Annotated[
    tuple[str, str] | None,
    typer.Option(
        "--decision-boundary",
        metavar="COLUMN COLUMN",
        help="draw the predicted class over two columns and where the networks disagree, and do nothing else",
    ),
]
Curve = Annotated[
    str | None,
    typer.Option(
        "--regression-curve",
        metavar="COLUMN",
        help="draw the predicted number along a column with its bands, and do nothing else",
    ),
]
At = Annotated[
    list[str] | None,
    typer.Option(
        "--at",
        metavar="COLUMN=VALUE",
        help="of these two: hold another column there, not at its median or most frequent category; may be repeated",
    ),
]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="FOLDER", help="where to write (default: RUN/explanation)")
]


@with_settings(READING)
def explain(
    run: RunArgument,
    data: Data = None,
    *,
    column: Column = None,
    row: Row = None,
    of: Of = None,
    repeats: Repeats = 10,
    group_above: GroupAbove = 0.7,
    interactions: Pairs = 5,
    ice: Ice = False,
    method: Method = "auto",
    most_rows: MostRows = 2000,
    decision_boundary: Boundary = None,
    regression_curve: Curve = None,
    at: At = None,
    out: Out = None,
    settings: dict[str, Any],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show which columns matter, how the answer changes with them, and which part each has in a single answer.

    Importance: how much worse the score becomes when a column is permuted, columns that go together as one. Effects:
    partial dependence, or accumulated local effects of columns that go together, with bands over the networks.
    Interactions: Friedman's H. Figures (SVG, PDF) and all numbers (CSV, JSON) go into RUN/explanation. The test rows
    are not opened. With --decision-boundary or --regression-curve only that figure is drawn, over the validation rows.
    """
    from shoal.after.explaining import explain as explain_run
    from shoal.cli.live import watching
    from shoal.cli.output import print_json
    from shoal.run import load
    from shoal.runs.new_folder import EXPLANATION

    with watching(quiet=quiet, plain_lines=False) as progress:
        loaded = load(run)
        folder = str(loaded.path / EXPLANATION) if out is None else out
        if columns := _columns_across(decision_boundary, regression_curve, at):
            from shoal.after.crossing import cross

            held = dict(_held(text) for text in at or ())
            shown = cross(loaded, columns, data, at=held, out=folder, options=read_options(settings))
            _print_across(shown.caption, folder, as_json=as_json)
            return
        explanation = explain_run(
            loaded,
            data,
            columns=column or None,
            rows=[number - 1 for number in row] if row else None,
            of=of,
            repeats=repeats,
            group_above=group_above,
            interactions=interactions,
            ice=ice,
            method=method,
            most_rows=most_rows,
            out=folder,
            options=read_options(settings),
            progress=progress,
        )
    if as_json:
        print_json(explanation.as_dict())
    else:
        _print(explanation, folder)


def _columns_across(boundary: tuple[str, str] | None, curve: str | None, at: list[str] | None) -> tuple[str, ...]:
    """Return the columns of a cross section, none where an explanation is wanted."""
    from shoal.errors import SettingError

    if boundary and curve:
        raise SettingError("--decision-boundary and --regression-curve draw different runs; give one of them")
    if at and not (boundary or curve):
        raise SettingError("--at holds columns of --decision-boundary or --regression-curve; give one of these")
    return boundary or ((curve,) if curve else ())


def _held(text: str) -> tuple[str, str]:
    from shoal.errors import SettingError

    name, equals, value = text.rpartition("=")
    if not equals or not name.strip():
        raise SettingError(f"--at expects COLUMN=VALUE, got {text!r}")
    return name.strip(), value.strip()


def _print_across(caption: str, folder: str, *, as_json: bool) -> None:
    from shoal.cli.output import print_json, print_text

    if as_json:
        print_json({"caption": caption, "output": folder})
    else:
        print_text(f"{caption}\nfigure and numbers: {folder}")


def _print(explanation: Explanation, folder: str) -> None:
    from shoal.cli.output import print_table, print_text
    from shoal.report import explanation as words

    if explanation.importance is not None:
        print_table(*words.importance_table(explanation.importance))
        for line in words.importance_lines(explanation.importance):
            print_text(line)
    if explanation.effects:
        print_table(*words.effects_table(explanation))
    if explanation.interactions is not None:
        print_table(*words.interactions_table(explanation.interactions))
    for attribution in explanation.attributions:
        print_text(words.attribution_title(attribution))
        print_table(*words.attribution_table(attribution))
    if explanation.attributions:
        for line in words.attribution_lines(explanation):
            print_text(line)
    for line in words.notes(explanation):
        print_text(f"note: {line}")
    print_text(f"figures and numbers: {folder}")
