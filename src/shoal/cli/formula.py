"""`shoal formula`: short formulas in place of the ensemble of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.options import Json, Quiet, RunArgument

if TYPE_CHECKING:
    from shoal.evaluation.formula.formulas import Formulas

Data = Annotated[str | None, typer.Argument(metavar="DATA", help="the data of the fit, if they are elsewhere now")]
Target = Annotated[str | None, typer.Option("--target", help="which target, where there are several")]
Class = Annotated[str | None, typer.Option("--class", help="which class; by default the signal of two")]
Complexity = Annotated[
    int, typer.Option("--complexity", help="the most columns, constants, operators and functions of a formula")
]
Functions = Annotated[
    str | None,
    typer.Option(
        "--functions",
        help="that formulas may use beside + - * /: sin,cos,exp,log,sqrt,square by default, of classes tanh instead of "
        "sin,cos; also tan, asin, acos, atan, sinh, cosh, abs",
    ),
]
Evaluations = Annotated[int, typer.Option("--evaluations", help="formulas that are looked at")]
Seconds = Annotated[
    float, typer.Option("--seconds", help="when the search ends at the latest; cut short, it may find others next time")
]
Test = Annotated[bool, typer.Option("--test", help="score them on the test rows as well, one more use of these")]


def formula(
    run: RunArgument,
    data: Data = None,
    *,
    target: Target = None,
    of: Class = None,
    complexity: Complexity = 20,
    functions: Functions = None,
    evaluations: Evaluations = 300_000,
    seconds: Seconds = 60.0,
    test: Test = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    r"""Fit short formulas to what the ensemble of a run says, and tell how far they are from it.

    Formulas of rising length are found by symbolic regression at the training and validation rows and written into
    the folder formula of the run. Needs the extra: pip install 'shoal\[formula]'
    """
    from shoal.after.formulas import folder_of
    from shoal.after.formulas import formula as find
    from shoal.cli.live import watching
    from shoal.cli.output import print_json
    from shoal.report.formula import write_formulas
    from shoal.run import load

    opened = load(run)
    searched: dict[str, Any] = {"complexity": complexity, "functions": functions, "evaluations": evaluations}
    searched |= {"seconds": seconds, "test": test}
    with watching(quiet=quiet, plain_lines=False) as progress:
        formulas = find(opened, data, target=target, of=of, progress=progress, **searched)
        folder = folder_of(opened, formulas.what)
        with opened.folder.writing(folder):
            write_formulas(formulas, folder)
    if as_json:
        print_json({**formulas.as_dict(), "folder": str(folder)})
    else:
        _print(formulas, str(folder))


def _print(formulas: Formulas, folder: str) -> None:
    from shoal.cli.output import print_table, print_text
    from shoal.report.formula import formula_rows

    head, rows = formula_rows(formulas)
    print_table(head, rows, right=(1, 2))
    for line in formulas.sentences:
        print_text(line)
    print_text(f"written: {folder}")
