"""The main job, told in order: from a data file to an honest, saved predictor with error bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from shoal.data.leaks import find_leaks
from shoal.errors import RunError
from shoal.evaluation.evaluate import evaluate
from shoal.evaluation.fitted import Fitted
from shoal.evaluation.record import Provenance, Record
from shoal.evaluation.sealed import SealedRows
from shoal.helper_process import HelperProcess
from shoal.prediction.out_of_fold import OutOfFold, answers, ensemble_member
from shoal.prediction.predictor import Predictor
from shoal.prediction.replicas import sound_replicas
from shoal.repeating import command_line, origin, versions
from shoal.report import keep_figures, write_report
from shoal.run import Run
from shoal.runs.folder import RunFolder
from shoal.search.members import members_of
from shoal.search.strategies.random import propose
from shoal.settings import FitSettings, check_settings
from shoal.steps import (
    Timing,
    choose_kept,
    choose_space,
    count_candidates,
    interrupted,
    kind_of,
    learn_meanwhile,
    make_ensemble,
    open_helper,
    pose,
    prepare,
    read,
    shuffle_labels,
    train_members,
    train_replicas,
)
from shoal.training.progress import Progress, Silent


def fit(data: Any, *, progress: Progress | None = None, **settings: Any) -> Run:
    """Train a population of networks on data and return the run: a predictor, its numbers and its page.

    Args:
        data: name of a built-in set (`"iris"`), path of a file, data frame, dict of columns, arrays, or `(X, y)`.
        progress: a listener; silent by default.
        settings: every option of `shoal fit`, see `shoal.settings.FitSettings`; among them `target`,
            `networks`, `minutes`, `seed`, `out` and any hyperparameter that is to be fixed.

    Returns:
        The run, saved in its folder.

    Raises:
        DataError: the data cannot be used as they are.
        SettingError: a setting makes no sense, or every network diverged.
        RunError: the run folder exists or cannot be written.
        Interrupted: Ctrl-C; what was trained is kept and `resume` goes on.

    Example:
        >>> import shoal, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = shoal.fit("iris", networks=2, hidden=(4,), epochs=2, batch_size=32, out=folder + "/iris")
        ...     run.metrics["rows"]
        {'train': 96, 'validation': 24, 'test': 30}
    """
    return _fit(data, check_settings(settings), progress or Silent())


def resume(path: str | Path, *, progress: Progress | None = None, minutes: float | None = None) -> Run:
    """Go on with an interrupted run, from its last checkpoint.

    Args:
        path: the run folder.
        progress: a listener.
        minutes: a time budget from now on.

    Raises:
        RunError: the run is finished, or its data are no longer the same. Without a checkpoint it starts again.
    """
    folder = RunFolder.open(path)
    if folder.finished:
        raise RunError(f"{str(path)!r} is finished; there is nothing to go on with")
    config = folder.config
    data = folder.source
    if data is None:
        raise RunError(f"{str(path)!r} was fitted on data from Python; call shoal.fit on them again")
    settings = dict(config["settings"])
    if minutes is not None:
        proposed = count_candidates(check_settings(settings), config["data"].get("kind", "table"))
        settings.setdefault("networks", proposed)
        settings["minutes"] = minutes
    options = check_settings(settings)
    return _fit(data, options, progress or Silent(), folder, config["data"]["sha256"])


def _fit(
    data: Any,
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder | None = None,
    sha256: str | None = None,
) -> Run:
    timing = Timing()
    progress.stage("reading")
    dataset, split = read(data, settings)
    for leak in find_leaks(dataset, split):
        progress.warn(leak)
    timing.end("reading")
    if sha256 is not None and dataset.sha256 != sha256:
        raise RunError(f"the data in {dataset.source!r} have changed since the run began; start a new run")
    preparation = prepare(dataset, split, settings)
    sealed = SealedRows(dataset, split.test)
    problem = pose(dataset, split, preparation, settings)
    shape = problem.input_shape
    space = choose_space(split.rows_of_a_network, dataset.task, settings, shape, problem.per_step)
    candidates = propose(space, count_candidates(settings, kind_of(dataset)), settings.seed)
    members = members_of(candidates, settings.cv, settings.repeats)

    folder = folder or RunFolder.create(settings.out, dataset.name, force=settings.force)
    helper = open_helper()
    try:
        baselines = learn_meanwhile(helper, dataset, split, preparation, settings.seed)
        command = command_line(dataset, settings)
        folder.write_config(settings.given(), data=origin(dataset), versions=versions(), command=command)
        training = train_members(problem, members, settings, progress, folder, timing.began, helper)
        timing.end("preparing", training.compile_seconds + training.train_seconds)
        progress.stage("evaluating")
        judged = choose_kept(training, settings, folder)
        folds = OutOfFold.of(problem, [ensemble_member(training.members[place]) for place in judged])
        kept = [place for place in judged if answers(problem, training.members[place].member)]
        chosen = [training.members[place] for place in kept]
        watched = (settings, progress, folder, timing.began, helper)
        replicas = train_replicas(problem, chosen, dataset, split, preparation, *watched, training)
        sound = sound_replicas(replicas)
        predictor, measured = make_ensemble(chosen, preparation, dataset, split, problem, settings, sound, folds)
        fitted = Fitted(
            dataset,
            split,
            settings,
            space,
            training.members,
            kept,
            predictor,
            measured,
            folds,
            replicas,
            sealed,
            baselines,
            shuffle_labels(problem, chosen[0].member, settings),
        )
        engine = {"name": training.engine, "programs": training.programs, "reason": training.reason}
        seconds = {"total": 0.0, "compile": training.compile_seconds, "train": training.train_seconds}
        provenance = Provenance(settings.given(), command, settings.seed, versions(), engine, seconds)
        record = evaluate(fitted, provenance)
        timing.end("evaluate")
        progress.stage("writing the page" if settings.page else "writing")
        _write(folder, predictor, record, helper if settings.page else None, timing)
    except KeyboardInterrupt:
        if not folder.has_checkpoint:
            raise
        raise interrupted(folder, "the networks are") from None
    finally:
        helper.close()
        folder.remove_if_unused()
    return Run(folder)


def _write(
    folder: RunFolder, predictor: Predictor, record: Record, draws: HelperProcess | None, timing: Timing
) -> None:
    """Write the run; the numbers before the page, so that a figure that fails loses nothing. Without draws, no page."""
    record.provenance.seconds.update(timing.seconds)
    folder.write_model(predictor)
    folder.write_log(record)
    folder.write_scored(record)
    folder.write_metrics(record)
    if draws is not None:
        write_report(record, folder.path, draws)
    else:
        keep_figures(record, folder.path)
    timing.end("report")
    record.provenance.seconds.update(timing.seconds)
    folder.write_metrics(record)
    folder.remove_checkpoint()
