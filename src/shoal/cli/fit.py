"""`shoal fit`: the main job."""

from __future__ import annotations

import math
import sys
from collections.abc import Collection, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.from_settings import with_settings
from shoal.cli.options import Json, Quiet
from shoal.errors import OutputError, SettingError, counted
from shoal.setting_panels import RUN, WITH_FLAGS, flag
from shoal.settings import check_settings, without_functions

if TYPE_CHECKING:
    from shoal.run import Run

Data = Annotated[
    str | None,
    typer.Argument(
        metavar="DATA", help="a file with a table, a pattern as 'runs/*.csv', or the name of a built-in set"
    ),
]
Config = Annotated[
    str | None, typer.Option(metavar="FILE", help="repeat a run: its config.toml; flags win", rich_help_panel=RUN)
]
Resume = Annotated[
    str | None, typer.Option(metavar="RUN", help="go on with a run that was interrupted", rich_help_panel=RUN)
]
PlanOnly = Annotated[
    bool,
    typer.Option("--plan", help="train nothing; say how many candidates, what memory and time", rich_help_panel=RUN),
]
# Scores that stand in the summary, as many as fit beside each other; the page has all of them.
SHOWN = ("accuracy", "log_loss", "rmse", "r2", "reconstruction_error", "explained_variance")


@with_settings(WITH_FLAGS)
def fit(
    data: Data = None,
    *,
    settings: dict[str, Any],
    config: Config = None,
    resume: Resume = None,
    plan: PlanOnly = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Train many small networks on a table and keep the best as an ensemble with error bars.

    Reads the table, splits it into rows for training, validation and test, trains a population of networks
    together, keeps the best, scores them once on the test rows, and leaves a run folder with the model, the
    numbers, the figures and a page.

    Ctrl-C, and the signals USR1, TERM and HUP of a batch system, keep what is trained; `--resume` goes on with it to
    the same result. Exit codes: 0 done, 2 refused, 130 stopped by Ctrl-C, 75 stopped by a signal (or the end of
    `--minutes` came before any candidate was trained): go on with `--resume`.
    """
    from shoal.cli.live import watching
    from shoal.cli.output import print_json, print_text

    if resume is not None:
        _check_resume(data, config, settings)
    else:
        data, settings = _data_and_settings(data, config, settings)
    if plan:
        if resume is not None:
            raise SettingError("--plan tells of a fit from its beginning; leave out --resume")
        from shoal.fit import plan as plan_fit

        planned = plan_fit(data, **settings)
        print_json(asdict(planned)) if as_json else print_text(str(planned))
        return
    with watching(quiet=quiet) as progress:
        if resume is not None:
            from shoal.fit import resume as go_on

            run = go_on(resume, progress=progress, **settings)
        else:
            from shoal.fit import fit as fit_data

            run = fit_data(data, progress=progress, **settings)
    paged = _page(run).is_file() or settings.get("page") is not False
    try:
        if as_json:
            print_json({"path": str(run.path), "page": str(_page(run)) if paged else None, **run.metrics})
        elif quiet:
            print_text(str(run.path))
        else:
            print_summary(run, paged, getattr(progress, "warnings", ()))
        sys.stdout.flush()
    except OutputError as error:
        raise OutputError(f"{error} The run is finished and kept in {run.path}.") from error


def print_summary(run: Run, paged: bool = True, warned: Collection[str] = ()) -> None:
    """Print the verdict, the ensemble beside the baselines, and where to look further: the page, if there is one.

    Warnings that were printed before training, `warned`, are not repeated.
    """
    from shoal.cli.output import print_text
    from shoal.runs.new_folder import TARGETS

    metrics = run.metrics
    print_text(metrics["verdict"]["text"])
    trained = metrics["networks"]["trained"]
    if "targets" in metrics:
        _print_targets(metrics)
    else:
        _print_scores(metrics)
    if "selection" in metrics:
        from shoal.report.topics.selection import selection_line

        print_text(selection_line(metrics["selection"]))
    if "search" in metrics and trained > metrics["search"]["candidates_looked_at"]:
        print_text(candidates_line(metrics["search"]))
    if left_out := metrics.get("search", {}).get("left_out"):
        print_text(budget_line(metrics["search"], left_out))
    if by := metrics["engine"].get("stopped_by"):
        from shoal.report.topics.candidates import STOPPED

        print_text(STOPPED[by])
    if looks := run.looks.sentence:
        print_text(looks)
    for warning in metrics["data"]["warnings"]:
        if warning not in warned:
            print_text(f"warning: {warning}")
    if paged:
        print_text(f"page:    {_page(run)}")
    if not metrics["test"]:
        print_text(f"open:    shoal open {run.path}, with all runs that are to be compared")
    if "targets" in metrics:
        print_text(f"targets: each has a run of its own for explain, compare, select, …, in {run.path / TARGETS}")
    if "reconstruction" in metrics:
        print_text(f"encode:  shoal encode {run.path} NEW_DATA -o codes.csv")
    else:
        print_text(f"predict: shoal predict {run.path} NEW_DATA -o predictions.csv")


def _print_targets(metrics: Mapping[str, Any]) -> None:
    """Print the scores of each of several targets beside those of its best baseline."""
    from shoal.cli.output import interval, label, print_table, print_text

    names = ("accuracy", "log_loss")
    rows = []
    for target, of_target in metrics["targets"].items():
        best = min(of_target["baselines"].items(), key=lambda item: item[1]["log_loss"]["value"] or math.inf)
        scores = (interval(of_target["test"][name]) for name in names)
        rows.append((target, *scores, f"{label(best[0])} {interval(best[1]['log_loss'])}"))
    heads = (*(f"{label(name)} [95 %]" for name in names), "lowest log-loss of the baselines")
    print_table((f"on {counted(metrics['rows']['test'], 'test row')}", *heads), rows)
    for target, of_target in metrics["targets"].items():
        if coverage := of_target.get("coverage"):
            print_text(f"{target}: {100 * coverage['level']:.4g} % sets hold {interval(coverage)} of the true classes")


def _print_scores(metrics: Mapping[str, Any]) -> None:
    """Print the scores of the ensemble beside those of the baselines, and what error bars are worth."""
    from shoal.cli.output import interval, label, print_table, print_text

    part = "test" if metrics["test"] else "validation"  # while the test rows are sealed
    chosen = metrics.get("metrics", {}).get("chosen", ())
    names = [name for name in dict.fromkeys((*chosen, *SHOWN)) if name in metrics[part]]
    trained, kept = metrics["networks"]["trained"], metrics["networks"]["kept"]
    kept = 1 if "reconstruction" in metrics else kept
    ours = f"shoal ({kept} of {trained} networks)" if trained > 1 else "shoal (1 network)"
    baselines = metrics.get("baselines", {})
    lines = {ours: metrics[part], **{label(name): scores for name, scores in baselines.items()}}
    rows = [(who, *(interval(scores.get(name)) for name in names)) for who, scores in lines.items()]
    unit = "series" if metrics.get("steps") else metrics["data"].get("row", "row")
    units = metrics.get("units", {}).get("scores", {})
    heads = (f"{label(name, units.get(name, ''))} [95 %]" for name in names)
    out_of_fold = part == "validation" and metrics["search"]["cv"]
    what = f"out-of-fold {unit}s" if out_of_fold else counted(metrics["rows"][part], f"{part} {unit}")
    print_table((f"on {what}", *heads), rows)
    for line in error_bar_lines(metrics):
        print_text(line)


def error_bar_lines(metrics: Mapping[str, Any]) -> list[str]:
    """Return what error bars are worth on the test rows, from `metrics.json`; nothing in runs that do not tell.

    >>> coverage = {"value": 0.944, "low": 0.876, "high": 0.976, "level": 0.95}
    >>> error_bar_lines({"coverage": coverage})
    ['95 % intervals hold 0.944 [0.876, 0.976] of the test values']
    >>> error_bar_lines({"coverage": {**coverage, "mean_classes_in_a_set": 1.0}})
    ['95 % sets, with 1 class on average, hold 0.944 [0.876, 0.976] of the true classes']
    """
    from shoal.cli.output import interval
    from shoal.report.words import answers_for, on_average

    lines, coverage, calibration = [], metrics.get("coverage"), metrics.get("calibration", {})
    if coverage and "level" in coverage:
        what, true, doubt = (
            "intervals",
            "test values",
            "" if coverage.get("promised", True) else "; too few rows to promise it",
        )
        if "mean_classes_in_a_set" in coverage:
            what = f"sets, with {on_average(coverage['mean_classes_in_a_set'], 'class', 'classes')},"
            true = "true classes"
        lines.append(f"{100 * coverage['level']:.4g} % {what} hold {interval(coverage)} of the {true}{doubt}")
    if "calibration_error" in calibration:
        both = calibration["calibration_error"]["test"]
        how = {"none": "left as it was"}.get(calibration["method"], f"by {calibration['method']}")
        lines.append(f"calibration error {interval(both['before'])}, {how}")
        if calibration["method"] != "none":
            lines[-1] = f"calibration error {interval(both['before'])} before, {interval(both['after'])} after, {how}"
    if "class_weight" in calibration:
        lines.append(answers_for(calibration["class_weight"]))
    if metrics.get("outside", {}).get("rows"):
        outside = metrics["outside"]
        lie = "lies" if outside["rows"] == 1 else "lie"
        lines.append(
            f"{outside['rows']} of {counted(metrics['rows']['test'], 'test row')} {lie} outside the training region "
            f"(expected of usual rows: {100 * outside['rate']:.3g} %)"
        )
    return lines


def candidates_line(search: Mapping[str, Any]) -> str:
    """Return how often each candidate was trained and how well the best did, from `search` in `metrics.json`.

    >>> best = {"candidate": 3, "networks": 10, "score": 0.1234, "standard_error": 0.0211}
    >>> candidates_line({"candidates_looked_at": 8, "cv": 5, "repeats": 2, "kept": [best]})
    '8 candidates, each trained in 5 folds × 2 repeats; the best scored 0.123 ± 0.021 (loss out of fold)'
    """
    from shoal.report.topics.candidates import rounds
    from shoal.report.words import count, number

    best = search["kept"][0]
    where, rolling = "out of fold" if search["cv"] else "on validation rows", "rolling" in search
    tried, each = count(search["candidates_looked_at"], "candidate"), rounds(search["cv"], search["repeats"], rolling)
    score = f"{number(best['score'])} ± {number(best['standard_error'], 2)}"
    return f"{tried}, each trained in {each}; the best scored {score} (loss {where})"


def budget_line(search: Mapping[str, Any], left_out: int) -> str:
    """Return that fewer candidates were tried than usual, from `search` in `metrics.json`."""
    from shoal.report.topics.candidates import budget_in_words

    scores = search["best_of_half"], search["kept"][0]["score"]
    return budget_in_words(search["candidates_looked_at"], left_out, *scores)


def _page(run: Run) -> Path:
    return Path(run.path) / "report.html"


def _check_resume(data: str | None, config: str | None, settings: dict[str, Any]) -> None:
    """Refuse what an interrupted run has settled already."""
    given = [flag(name) for name in settings if name not in ("minutes", "workers", "dask")]
    given += ["--config"] if config else []
    given += ["DATA"] if data else []
    if given:
        raise SettingError(f"--resume goes on with the settings of the run; leave out {', '.join(given)}.")


def _data_and_settings(data: str | None, config: str | None, settings: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return what to read and the settings: those of `config.toml`, then those of the flags."""
    if config:
        source, kept = read_config(config)
        data = data or source
        settings = {**kept, **settings}
    if not data:
        missing = f"{config!r} does not say which file was read" if config else "DATA is missing"
        raise SettingError(
            f"{missing}: expected a file or the name of a built-in set, e.g. `shoal fit iris`; "
            "`shoal datasets` lists the sets."
        )
    check_settings(settings)
    return data, settings


def read_config(config: str) -> tuple[str | None, dict[str, Any]]:
    """Return the data and the settings of a run's `config.toml`, but not where that run was written.

    Args:
        config: path of the file, or of the run folder that holds it.

    Raises:
        RunError: missing, damaged or of a newer format.
        SettingError: a file of another name.
    """
    from shoal.repeating import check_cores
    from shoal.runs.config_file import NAME
    from shoal.runs.config_file import read_config as read

    path = Path(config)
    if path.name != NAME and not path.is_dir():
        raise SettingError(f"--config expects the {NAME} of a run, got {config!r}.")
    document = read(path if path.is_dir() else path.parent)
    check_cores(document)
    kept = without_functions(document["settings"])
    settings = {name: value for name, value in kept.items() if name not in ("out", "force")}
    source = document["data"].get("source")
    data = document["data"].get("name") if source == "built in" else source
    return (None if data == "python" else data), settings
