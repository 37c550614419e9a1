"""The commands, and what `shoal --help` says of them."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from shoal.cli.candidates import candidates
from shoal.cli.cite import cite
from shoal.cli.compare import compare
from shoal.cli.datasets import datasets
from shoal.cli.evolve import evolve
from shoal.cli.export import export
from shoal.cli.figures import figures
from shoal.cli.formula import formula
from shoal.cli.guard import guarded, tell
from shoal.cli.network import network
from shoal.cli.open_test import open_test
from shoal.cli.regroup import regroup
from shoal.cli.report import report
from shoal.cli.runs import runs
from shoal.cli.serve import serve
from shoal.cli.usage import USAGE, refuse
from shoal.cli.work import gather, status, work
from shoal.cli.workbench import workbench
from shoal.errors import suggest

# Commands with flags made from FitSettings: what is needed for them would double the time of `shoal --help`,
# which shows a stand-in with the sentence given here.
_LATE = {
    "fit": "Train many small networks on a table and keep the best as an ensemble with error bars.",
    "predict": "Add predictions with error bars to a table.",
    "encode": "Add codes and anomaly scores to a table, by a run that was fitted with --reconstruct.",
    "select": "Choose a cut on the score for expected yields, and quote it on rows that did not choose it.",
    "systematics": "Shift and reweight the inputs of a run, and see how far its result moves.",
    "explain": "Show which columns matter, how the answer changes with them, and why a row got its answer.",
    "evaluate": "Score a run on rows whose truth is known, each score with its 95 % interval.",
    "submit": "Write a fit as an array of jobs for SLURM, PBS or HTCondor, on machines that share a folder.",
    "describe": "Show the columns of a table, what they are for, and what to look out for.",
}


class Command(TyperCommand):
    """A command that says in words what is wrong with those it was given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words, and refuse those that are wrong."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            refuse(error, ctx)


class Commands(TyperGroup):
    """The group of commands; a command takes the place of its stand-in once it is asked for."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the first word names."""
        if args and args[0] == "fit" and len(args) > 1 and not {"-h", "--help"} & set(args):
            _load_beside(ctx)
        if args and args[0] in _LATE:
            self.commands[args[0]] = _complete(args[0])
        if args and args[0] not in self.commands:
            tell(
                "error", f"there is no command {args[0]!r}.{suggest(args[0], self.commands)} `shoal --help` lists them."
            )
            raise SystemExit(USAGE)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words before the command, and refuse those that are wrong."""
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            refuse(error, ctx)


app = typer.Typer(
    name="shoal",
    cls=Commands,
    help="From a data file to an honestly evaluated predictor with error bars.",
    epilog="Examples:\nshoal fit iris\nshoal fit measurements.csv --target y\n"
    "shoal predict runs/measurements-1 new.csv -o predictions.csv",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        from shoal import __version__

        print(f"shoal {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """From a data file to an honestly evaluated predictor with error bars."""


# The examples with which the help of each command ends, in the order in which the commands are needed.
_EXAMPLES = {
    "fit": (
        "shoal fit iris",
        "shoal fit measurements.csv --target y --y-err sigma_y --minutes 5",
        "shoal fit table.parquet --target a,b --ignore run,comment --out runs/both",
        "shoal fit measurements.csv --target y --cv 5 --repeats 2",
        "shoal fit iris --networks 1 --hidden 64,32 --activation relu --l2 0.01",
        "shoal fit spectra.npz --reconstruct --bottleneck 8",
        "shoal fit iris --seal-test",
        "shoal fit --config runs/iris-1/config.toml --seed 1",
        "shoal fit --resume runs/iris-1",
    ),
    "predict": (
        "shoal predict runs/iris-1 new.csv -o predictions.csv",
        "shoal predict runs/iris-1 new.parquet -o predictions.jsonl --force",
        "shoal predict runs/iris-1 new.csv | head",
    ),
    "encode": ("shoal encode runs/iris-1 new.csv -o codes.csv",),
    "evaluate": ("shoal evaluate runs/iris-1 later.csv", "shoal evaluate runs/iris-1 later.csv --json"),
    "select": (
        "shoal select runs/events-1 --signal-yield 250 --background-yield 1000 --background-uncertainty 0.1",
        "shoal select runs/events-1 later.csv --signal-yield 250 --background-yield 1000 -o selection",
    ),
    "systematics": (
        "shoal systematics runs/events-1 variations.toml",
        "shoal systematics runs/events-1 variations.toml --data later.csv --cut 0.8 -o shifts",
    ),
    "explain": (
        "shoal explain runs/measurements-1",
        "shoal explain runs/measurements-1 later.csv --column mass --ice",
        "shoal explain runs/measurements-1 later.csv --row 3",
        'shoal explain runs/iris-1 --decision-boundary "petal length" "petal width"',
    ),
    "compare": ("shoal compare runs/iris-1 runs/iris-2", "shoal compare runs/iris-1 runs/iris-2 runs/iris-3 --json"),
    "open": ("shoal open runs/iris-1", "shoal open runs/iris-1 runs/iris-2 runs/iris-3"),
    "formula": (
        "shoal formula runs/pendulum-1",
        "shoal formula runs/iris-1 --class setosa --functions exp,log --complexity 12",
        "shoal formula runs/pendulum-1 --test --json",
    ),
    "evolve": (
        "shoal evolve pendulum",
        "shoal evolve arm --network '6 16:tanh 2:tanh' --algorithm cma-es --generations 400 --seeds 10",
        "shoal export runs/pendulum-1 pendulum.c",
    ),
    "regroup": ("shoal regroup events.parquet -o mixed.parquet", "shoal regroup 'day*.parquet' -o mixed.parquet"),
    "report": ("shoal report runs/iris-1",),
    "export": ("shoal export runs/iris-1 iris.c",),
    "cite": ("shoal cite runs/iris-1", "shoal cite runs/iris-1 -o methods.bib"),
    "figures": (
        "shoal figures runs/iris-1",
        "shoal figures runs/iris-1 --width single --only learning_curves,confusion_matrix -o paper",
        "shoal figures runs/iris-1 --format svg,png --width double --font serif",
    ),
    "runs": (
        "shoal runs",
        "shoal runs --where \"data == 'iris' and score > 0.9\" --sort -score",
        "shoal runs ../other/runs --json",
    ),
    "candidates": (
        "shoal candidates runs/iris-1",
        "shoal candidates runs/iris-1 --where \"status == 'finished' and score < 0.3\" --sort parameters,score",
        "shoal candidates runs/iris-1 -o candidates.csv",
    ),
    "describe": (
        "shoal describe measurements.csv",
        "shoal describe measurements.csv --target y --weight w",
        "shoal describe iris --json",
    ),
    "workbench": ("shoal workbench", "shoal workbench measurements --no-browser", "shoal workbench --port 9000"),
    "network": (
        'shoal network "4 8:relu 3:softmax"',
        'shoal network "4 8:relu 3:softmax" -o network.pdf',
        "shoal network runs/iris-1 -o weights.csv",
    ),
    "datasets": ("shoal datasets", "shoal datasets --json"),
    "serve": ("shoal serve runs/iris-1", "shoal serve iris=runs/iris-1 runs/pendulum-1 --port 8080 --workers 4"),
    "submit": (
        "shoal submit events.parquet --target label --networks 4096 --out runs/search --slurm 16 --job-time 2:00:00",
        "shoal submit iris --out runs/iris --htcondor 4 --now",
    ),
    "work": ("shoal work runs/search", "shoal work runs/search --minutes 110 --memory 4GB"),
    "status": ("shoal status runs/search",),
    "gather": ("shoal gather runs/search",),
}
_READY: dict[str, Callable[..., None]] = {
    "candidates": candidates, "compare": compare, "open": open_test, "formula": formula, "report": report,
    "regroup": regroup,
    "evolve": evolve, "export": export, "cite": cite, "figures": figures, "runs": runs, "network": network,
    "datasets": datasets, "work": work, "status": status, "gather": gather, "serve": serve, "workbench": workbench,
}  # fmt: skip


def _stand_in() -> None:
    """Stand for a command of which only the name and the sentence are wanted."""


def _register(target: typer.Typer, name: str, function: Callable[..., None], text: str) -> None:
    paragraphs = inspect.cleandoc(text).split("\n\n")
    target.command(
        name,
        cls=Command,
        help="\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs),
        epilog="\n".join(["Examples:", *_EXAMPLES[name]]),
    )(guarded(function))


def _load_beside(ctx: Any) -> None:
    """Begin to load in a second process what the baselines need, which takes longer than all that is loaded here."""
    from shoal.helper_process import close_spare, start_early
    from shoal.resources import available_cores

    if available_cores() > 1:
        start_early("sklearn.linear_model", "sklearn.ensemble", "shoal.evaluation.baselines.tabular")
        ctx.call_on_close(close_spare)  # where nobody took it


def _complete(name: str) -> Any:
    """Return a command with all its flags."""
    from typer.main import get_command

    function = getattr(importlib.import_module(f"shoal.cli.{name}"), name)
    settings = app.info.context_settings
    alone = typer.Typer(add_completion=False, rich_markup_mode="rich", context_settings=settings)
    _register(alone, name, function, function.__doc__ or "")
    return get_command(alone)


for _name in _EXAMPLES:
    _function = _READY.get(_name, _stand_in)
    _register(app, _name, _function, _LATE.get(_name) or _function.__doc__ or "")
