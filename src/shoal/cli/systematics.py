"""`shoal systematics`: how much the result of a run moves when its inputs are shifted or reweighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import Json, Quiet, RunArgument

if TYPE_CHECKING:
    from shoal.evaluation.systematics.shifts import Systematics

Variations = Annotated[
    str, typer.Argument(metavar="VARIATIONS", help=r"a TOML file with a table \[name] for each variation")
]
Data = Annotated[
    str | None, typer.Option("--data", metavar="FILE", help="other labelled rows; by default the test rows of the run")
]
Cut = Annotated[
    float | None,
    typer.Option("--cut", help="keep rows with a score of it or more; with yields the best one is found by default"),
]
SignalYield = Annotated[
    float | None, typer.Option("--signal-yield", help="expected signal events before the cut; default those of the fit")
]
BackgroundYield = Annotated[
    float | None, typer.Option("--background-yield", help="expected background events before the cut")
]
Uncertainty = Annotated[
    float | None, typer.Option("--background-uncertainty", help="relative uncertainty of the background, e.g. 0.1")
]
Signal = Annotated[
    str | None,
    typer.Option("--signal", help="the class that is the signal; by default that of the fit, or the one named so"),
]
Bins = Annotated[int | None, typer.Option("--bins", help="bins of histograms; default 20 of scores, 10 of numbers")]
Quantity = Annotated[
    str | None, typer.Option("--quantity", help="the number in the table and the tornado, e.g. roc_auc")
]
Prune = Annotated[bool, typer.Option("--prune", help="leave shifts out of the totals that are compatible with none")]
Out = Annotated[
    str | None, typer.Option("--out", "-o", metavar="FOLDER", help="where to write; default RUN/systematics")
]


@with_settings(READING)
def systematics(
    run: RunArgument,
    variations: Variations,
    *,
    data: Data = None,
    cut: Cut = None,
    signal_yield: SignalYield = None,
    background_yield: BackgroundYield = None,
    background_uncertainty: Uncertainty = None,
    signal: Signal = None,
    bins: Bins = None,
    quantity: Quantity = None,
    prune: Prune = False,
    out: Out = None,
    settings: dict[str, Any],
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Shift and reweight the inputs of a run, and see how far its result moves.

    VARIATIONS holds a table for each source of uncertainty. `columns` with `scale` (relative), `shift` (in the unit of
    the column), `sigma_column` (a column of errors) or `smear` (noise of that size); or `weight_up` and `weight_down`
    (columns with other weights), `factor_up` and `factor_down` (columns with factors of the weights), `class` and
    `rate` (relative change of the weights of a class), `file_up` and `file_down` (other tables). One side alone is
    mirrored.

    The test rows of the run are read again from its data, which counts as one more use of them.
    """
    from pathlib import Path

    from shoal.after.varying import systematics as vary
    from shoal.cli.live import watching
    from shoal.cli.output import print_json
    from shoal.report.systematics import write_systematics
    from shoal.run import load
    from shoal.runs.new_folder import SYSTEMATICS

    loaded = load(run)
    folder = Path(out) if out is not None else loaded.path / SYSTEMATICS
    with watching(quiet=quiet, plain_lines=False) as progress:
        shifted = vary(
            loaded,
            variations,
            data,
            cut=cut,
            signal_yield=signal_yield,
            background_yield=background_yield,
            background_uncertainty=background_uncertainty,
            signal=signal,
            bins=bins,
            quantity=quantity,
            prune=prune,
            options=read_options(settings),
            progress=progress,
        )
    with loaded.folder.writing(folder):
        write_systematics(shifted, folder, loaded.predictor.preparation.classes)
    if as_json:
        print_json({**shifted.as_dict(), "folder": str(folder)})
    else:
        _print(shifted, str(folder))


def _print(systematics: Systematics, folder: str) -> None:
    from shoal.cli.output import label, print_table, print_text
    from shoal.report.systematics import shifts_rows, systematics_lines, totals_rows

    print_table(("", "value", "statistical", "systematic"), totals_rows(systematics))
    shown = f"shift of {label(systematics.main)}"
    print_table(("variation", "what", f"{shown}, up", "down", ""), shifts_rows(systematics))
    for line in systematics_lines(systematics):
        print_text(line)
    print_text(f"figures and numbers: {folder}")
