"""The main job, told in order: from a data file to an honest, saved predictor with error bars."""

from __future__ import annotations

import warnings
from pathlib import Path
from textwrap import indent
from typing import Any

from shoal.cluster.choice import open_executor
from shoal.errors import Diverged, RunError, ShoalWarning
from shoal.evaluation.sealed import SealedRows
from shoal.repeating import check_cores
from shoal.run import Run, run_in
from shoal.runs.folder import START_AGAIN, RunFolder
from shoal.search.strategy import Search
from shoal.settings import FitSettings, check_settings, settings_in_words, without_functions
from shoal.steps.assembling import Trained
from shoal.steps.beside import learn_meanwhile, open_helper
from shoal.steps.choosing import keep_best
from shoal.steps.finishing import finish, finish_each_target, posed_for_each
from shoal.steps.planning import Plan, plan_search
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search, settled_count, with_base
from shoal.steps.reading import read_checked
from shoal.steps.session import Session, Stoppable
from shoal.steps.signals import stop_signals
from shoal.steps.streaming import settled
from shoal.steps.timing import Timing
from shoal.steps.training import train_candidates
from shoal.steps.writing import write_config, write_diverged
from shoal.tracking.tracker import check_tracker, track
from shoal.training.progress import Progress, Silent, ending
from shoal.training.progress_lines import listener


def fit(data: Any, *, progress: Progress | bool | None = None, **settings: Any) -> Run:
    """Train a population of networks on data and return the run: a predictor, its numbers and its page.

    Args:
        data: name of a built-in set (`"iris"`), path of a file, pattern such as `runs/*.csv`, list of
            paths, `s3://` address, data frame, dict of columns, arrays, or `(X, y)`.
        progress: True tells how far it is: in Jupyter by the curves of all networks (with `shoal[notebook]`), elsewhere
            by lines of text on stderr; or a listener, see `shoal.training.progress.Progress`. Silent by default, but
            for a ShoalWarning where the target was not named and one column stands out (`shoal.data.target_choice`
            has the rules).
        settings: every option of `shoal fit` under its name here, listed below with what holds where it is not given;
            among them `target`, `networks`, `minutes`, `seed`, `out` and any hyperparameter that is to be fixed.

    Returns:
        The run, saved in its folder.

    Raises:
        DataError: the data cannot be used as they are.
        SettingError: a setting makes no sense.
        Diverged: every network diverged; the folder keeps their curves and a page.
        RunError: the run folder exists or cannot be written.
        Interrupted: Ctrl-C, SIGTERM, SIGUSR1 or SIGHUP (in the main thread, where nobody else handles them); what was
            trained is kept and `resume` goes on.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=2, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     run.metrics["rows"]
        {'train': 96, 'validation': 24, 'test': 30}
    """
    return _fit(data, check_settings(settings), progress)


fit.__doc__ = f"{fit.__doc__ or ''}\n    Settings:\n{indent(settings_in_words(), '    ')}\n    "


def plan(data: Any, **settings: Any) -> Plan:
    """Return what `fit` would do with the same arguments, without training: candidates, programs, memory and time.

    Time is by a model of the work and the speed of this machine as it is now, and as a rule right within a factor of
    two; of a search that learns from its scores, later rounds count as the first one.

    Raises:
        DataError: the data cannot be used as they are.
        SettingError: a setting makes no sense.

    Example:
        >>> import shoal
        >>> plan = shoal.plan("iris", networks=10, cv=5)
        >>> plan.candidates, plan.networks
        (10, 50)
    """
    checked = with_base(check_settings(settings))
    dataset, split = read_checked(data, checked, Silent(), None)
    posed = Posed.of(dataset, split, settled(checked, dataset))
    return plan_search(posed, pose_search(posed))


def resume(
    path: str | Path,
    *,
    data: Any = None,
    progress: Progress | bool | None = None,
    minutes: float | None = None,
    workers: int | None = None,
    dask: str | None = None,
) -> Run:
    """Go on with an interrupted run, from its last checkpoint, to the files that it would have had without a break.

    Args:
        path: the run folder.
        data: the same data once more; needed for a run on data from Python, by default read again from where they were.
        progress: as for `fit`.
        minutes: a time budget from now on.
        workers: how many processes train from now on, in place of those that the run had, Dask's included.
        dask: the address of a Dask scheduler whose workers train from now on, as for `fit`.

    Raises:
        RunError: the run is finished, another process writes it, or its data are no longer the same. Without a
            checkpoint it starts again.
    """
    folder = RunFolder.open(path)
    if folder.diverged:
        raise RunError(f"the networks of {str(path)!r} diverged; there is nothing to go on with. {START_AGAIN}")
    folder.check_unfinished()
    config = folder.config
    check_cores(config)
    data = folder.source if data is None else data
    if data is None:
        raise RunError(
            f"{str(path)!r} was fitted on data from Python; go on there, with shoal.resume({str(path)!r}, data=data)"
        )
    settings = without_functions(dict(config["settings"]))
    if workers is not None or dask is not None:
        settings |= {"workers": workers, "dask": dask}
    if minutes is not None:
        proposed = settled_count(
            check_settings(settings).with_folds(config["data"].get("folds")), config["data"].get("kind", "table")
        )
        settings |= {"minutes": minutes, **({} if proposed is None else {"networks": proposed})}
    options = check_settings(settings).with_folds(config["data"].get("folds"))
    return _fit(data, options, progress, folder, config["data"]["sha256"])


def _fit(
    data: Any,
    settings: FitSettings,
    watched: Progress | bool | None,
    folder: RunFolder | None = None,
    sha256: str | None = None,
) -> Run:
    timing, settings = Timing(), with_base(settings)
    check_tracker(settings.track)
    with stop_signals() as received, ending(listener(watched)) as told:
        progress = Stoppable(told, received)
        dataset, split = read_checked(data, settings, progress, sha256)
        if watched is None and dataset.choice.guessed:
            warnings.warn(f"{dataset.announcement()}; target= names another", ShoalWarning, stacklevel=3)
        timing.end("reading")
        posed = Posed.of(dataset, split, settled(settings, dataset))
        search = pose_search(posed)
        resumed = folder is not None
        folder = folder or RunFolder.create(settings.out, dataset.name, force=settings.force)
        where = open_executor(settings.workers, settings.dask, folder.path, settings.memory)
        helper = open_helper(None if dataset.stream is None else dataset.stream.memory)
        with (
            where as executor,
            Session(folder, progress, timing, helper, received, resumed, executor=executor) as session,
        ):
            _fit_in(session, posed, search)
    return run_in(folder)


def _fit_in(session: Session, posed: Posed, search: Search) -> None:
    """Train candidates, make an ensemble of the best, evaluate it and write all into the folder of a session."""
    settings, sealed = posed.settings, SealedRows(posed.dataset, posed.split.test, posed.settings.seal_test)
    baselines = [learn_meanwhile(session.helper, part, sealed=settings.seal_test) for part in posed_for_each(posed)]
    write_config(posed, session)
    training = train_candidates(posed, search, session)
    session.timing.end("preparing", training.compile_seconds + training.train_seconds)

    session.progress.stage("evaluating")
    try:
        kept = keep_best(training, posed, session.folder)
    except Diverged as error:
        raise Diverged(f"{error} {write_diverged(posed, search.space, training, sealed, session)}") from None
    trained = Trained(posed, search.space, training, kept, sealed)
    if posed.dataset.classes_by_target:
        finish_each_target(trained, baselines, session)
    else:
        finish(trained, baselines[0], session)
    track(settings.track, session.folder)
