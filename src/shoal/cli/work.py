"""`shoal work`, `shoal status`, `shoal gather`: the workers of a run, how far it is, and its end without its driver."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.options import Json, Quiet, RunArgument

if TYPE_CHECKING:
    from shoal.cluster.shared_folder import SharedFolder

Minutes = Annotated[float | None, typer.Option(min=0.0, help="begin no lot after so many minutes")]
Wait = Annotated[float, typer.Option(min=0.0, help="minutes to wait while there is nothing to do")]
Memory = Annotated[
    str | None, typer.Option(metavar="SIZE", help="the most memory to take, e.g. 4GB; default: all free")
]


def work(
    run: RunArgument, *, minutes: Minutes = None, wait: Wait = 10.0, memory: Memory = None, quiet: Quiet = False
) -> None:
    """Train networks of a run that another process drives, until it is done.

    Start as many as you like, on any machine that sees the folder of the run, before or after the fit itself, which is
    told so by `--workers` (0: it trains nothing itself). Each takes some networks at a time. Ctrl-C, and the signals
    USR1, TERM and HUP of a batch system, give back those in training, for others.
    """
    from shoal.cli.guard import tell
    from shoal.cluster.worker import work as work_in
    from shoal.runs.folder import RunFolder
    from shoal.steps.signals import stop_signals
    from shoal.training.planner import find_budget

    if Path(run).is_dir() and RunFolder(run).finished:
        if not quiet:
            tell("work", f"{run} is finished; there is nothing to do")
        return
    with stop_signals():
        lots = work_in(
            _folder(run),
            find_budget(memory),
            seconds=None if minutes is None else 60.0 * minutes,
            patience=60.0 * wait,
            say=(lambda _: None) if quiet else (lambda text: tell("work", text)),
        )
    if not quiet:
        tell("work", f"done; {lots} lots trained here")


def status(run: RunArgument, *, as_json: Json = False) -> None:
    """Show how far a run with workers is: which lots wait, who trains, and what is done."""
    from shoal.cli.output import print_json, print_text
    from shoal.runs.folder import RunFolder

    folder, opened = _folder(run), RunFolder.open(run)
    told: dict[str, Any] = {
        "finished": opened.finished,
        "waiting": len(folder.keys("waiting")),
        "in_training": dict(folder.takers()),
        "not_gathered": len(folder.keys("done")),
    }
    if opened.has_checkpoint:
        told["networks_kept"] = len(opened.load_checkpoint()[0]["finished"])
    if as_json:
        print_json(told)
        return
    if told["finished"]:
        print_text(f"{run} is finished; its page is {Path(run) / 'report.html'}")
        return
    print_text(f"{told.get('networks_kept', 0)} networks are kept in the checkpoint of {run}")
    print_text(f"{told['waiting']} lots wait, {told['not_gathered']} are trained and not gathered yet")
    for key, worker in told["in_training"].items():
        print_text(f"{worker} trains {key}")
    if not told["in_training"] and told["waiting"]:
        print_text(f"nobody trains; start workers with: shoal work {run}")


def gather(run: RunArgument, *, quiet: Quiet = False, as_json: Json = False) -> None:
    """Finish a run whose driver is gone: gather what workers have left, and train the rest here."""
    from shoal.cli.fit import print_summary
    from shoal.cli.live import watching
    from shoal.cli.output import print_json, print_text
    from shoal.fit import resume

    with watching(quiet=quiet) as progress:
        finished = resume(run, progress=progress, workers=1)
    if as_json:
        print_json({"path": str(finished.path), **finished.metrics})
    elif quiet:
        print_text(str(finished.path))
    else:
        print_summary(finished, finished.report().is_file())


def _folder(run: str) -> SharedFolder:
    from shoal.cluster.shared_folder import NAME, SharedFolder

    return SharedFolder(Path(run) / NAME)
