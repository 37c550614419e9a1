"""The main job, told in order: from a data file to an honest, saved predictor with error bars."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from shoal.data import (
    Dataset,
    Preparation,
    ReadOptions,
    Split,
    load_dataset,
    load_with_test,
    roles_from_toml,
    split_rows,
)
from shoal.errors import Interrupted, RunError, SettingError
from shoal.evaluation.evaluation import evaluate
from shoal.evaluation.predictor import EnsembleMember, Predictor, choose_members, with_noise
from shoal.evaluation.sealed import SealedRows
from shoal.repeating import command_line, import_meanwhile, versions
from shoal.report import write_report
from shoal.results import Task
from shoal.run import Run
from shoal.runs.folder import RunFolder
from shoal.search.space import default_space
from shoal.search.strategies.random import propose
from shoal.settings import FitSettings, check_settings
from shoal.training.checkpointing import checkpoint_from_parts, checkpoint_to_parts
from shoal.training.member import Member, Problem, TrainedMember
from shoal.training.problem import choose_loss, make_problem
from shoal.training.progress import Progress, Silent
from shoal.training.trainer import Checkpoint, Stopped, Training, train

NETWORKS = 64
NETWORKS_IN_A_BUDGET = 1024  # with --minutes and no --networks: more than will be reached
SECONDS_TO_FINISH = 6.0  # kept back from a time budget for evaluation and page


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
        RunError: the run is finished, has no checkpoint, or its data are no longer the same.
    """
    folder = RunFolder.open(path)
    if folder.finished:
        raise RunError(f"{str(path)!r} is finished; there is nothing to go on with")
    config = folder.config
    source = config["data"]["source"]
    if source == "python":
        raise RunError(f"{str(path)!r} was fitted on data from Python; call shoal.fit on them again")
    data = config["data"]["name"] if source == "built in" else source
    settings = dict(config["settings"])
    if minutes is not None:
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
    began = time.perf_counter()
    progress.stage("reading")
    dataset, split = read(data, settings)
    if sha256 is not None and dataset.sha256 != sha256:
        raise RunError(f"the data in {dataset.source!r} have changed since the run began; start a new run")
    preparation = Preparation.fit(dataset, split.train, normalization=settings.normalization)
    sealed = SealedRows(dataset, split.test)
    problem = pose(dataset, split, preparation, settings)
    space = default_space(len(split.train), dataset.task is Task.CLASSIFICATION).fixing(settings.fixed())
    members = propose(space, count_networks(settings), settings.seed)

    resumed = folder is not None
    folder = folder or RunFolder.create(settings.out, dataset.name, force=settings.force)
    command = command_line(dataset, settings)
    try:
        origin = {"name": dataset.name, "source": dataset.source, "sha256": dataset.sha256}
        folder.write_config(settings.given(), data=origin, versions=versions(), command=command)
        training = _train(problem, members, settings, progress, folder, resumed, began)
        progress.stage("evaluating")
        kept = choose_members([member.score for member in training.members], settings.keep)
        predictor = make_ensemble(training.members, kept, preparation, dataset, split)
        record = evaluate(
            predictor,
            training.members,
            kept,
            dataset,
            split,
            sealed,
            settings=settings.given(),
            seed=settings.seed,
            command=command,
            normalization=settings.normalization,
            space=space.table(),
            seconds={"total": 0.0, "compile": training.compile_seconds, "train": training.train_seconds},
            versions=versions(),
        )
        progress.stage("writing the page")
        folder.write_model(predictor)
        folder.write_log(record)
        write_report(record, folder.path)
        record.seconds["total"] = time.perf_counter() - began
        folder.write_metrics(record)
        folder.remove_checkpoint()
    finally:
        if not resumed:
            folder.remove_if_unused()
    return Run(folder)


def read(data: Any, settings: FitSettings) -> tuple[Dataset, Split]:
    """Read the data and split their rows."""
    columns = ("target", "features", "y_err", "ignore")
    options: dict[str, Any] = {name: _listed(getattr(settings, name)) for name in columns}
    options |= {name: getattr(settings, name) for name in ("weight", "group", "time", "id", "task")}
    options["roles"] = None if settings.roles is None else roles_from_toml(settings.roles)
    words = ("delimiter", "decimal_comma", "header", "encoding", "sheet")
    options["options"] = ReadOptions(**{name: getattr(settings, name) for name in words})
    test_rows = None
    if settings.test is None:
        dataset = load_dataset(data, **options)
    else:
        dataset, test_rows = load_with_test(data, settings.test, **options)
    test, validation = settings.test_size, settings.validation_size
    sizes = (1.0 - test - validation, validation, test)
    return dataset, split_rows(dataset, sizes=sizes, seed=settings.seed, test_rows=test_rows)


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def pose(dataset: Dataset, split: Split, preparation: Preparation, settings: FitSettings) -> Problem:
    """Return the problem that the networks are to solve; the test rows are no part of it."""
    classes = len(dataset.classes)
    weights, y = row_weights(dataset), dataset.y()
    if dataset.task is Task.REGRESSION:
        y = preparation.scale_target(y)

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        taken = None if weights is None else weights[rows]
        return preparation.transform(dataset.table[rows]), y[rows], taken

    loss = choose_loss(dataset.task, classes, settings.loss)
    parts = part(split.train), part(split.validation)
    return make_problem(
        dataset.task, loss, *parts, classes=classes, seed=settings.seed, penalties=settings.penalties
    )


def row_weights(dataset: Dataset) -> np.ndarray | None:
    """Return `weight / y_err²` of each row (and target), or None where neither is known."""
    weights, errors = dataset.weights(), dataset.y_err()
    if errors is None:
        return weights
    precision = 1.0 / np.asarray(errors, np.float64) ** 2
    precision = precision / precision.mean(axis=0)  # each target counts alike, whatever its unit
    return precision if weights is None else precision * weights[:, None]


def count_networks(settings: FitSettings) -> int:
    """Return how many networks to propose."""
    if settings.networks is not None:
        return settings.networks
    return NETWORKS if settings.minutes is None else NETWORKS_IN_A_BUDGET


def _train(
    problem: Problem,
    members: list[Member],
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder,
    resumed: bool,
    began: float,
) -> Training:
    """Train, with a checkpoint in the folder now and then; on Ctrl-C keep what is done and say how to go on."""
    progress.stage("compiling")
    from shoal.training.engines.xla import XlaEngine

    engine = XlaEngine()
    import_meanwhile("sklearn.linear_model", "sklearn.ensemble", "sklearn.metrics", "matplotlib.figure", "jinja2")
    by_id = {member.id: member for member in members}
    checkpoint = None
    if resumed and folder.has_checkpoint:
        checkpoint = checkpoint_from_parts(*folder.load_checkpoint(), problem, by_id)
    seconds = None
    if settings.minutes is not None:
        seconds = max(1.0, 60.0 * settings.minutes - (time.perf_counter() - began) - SECONDS_TO_FINISH)

    def save(state: Checkpoint) -> None:
        folder.save_checkpoint(*checkpoint_to_parts(state))

    try:
        return train(problem, members, engine, seconds=seconds, progress=progress, checkpoint=checkpoint, save=save)
    except Stopped as stopped:
        save(stopped.checkpoint)
        done = sum(len(block) for block in stopped.checkpoint.finished.values())
        raise Interrupted(
            f"stopped; {done} of {len(members)} networks are trained and kept in {folder.path}. "
            f"Go on with: shoal fit --resume {folder.path}"
        ) from None


def make_ensemble(
    members: list[TrainedMember],
    kept: list[int],
    preparation: Preparation,
    dataset: Dataset,
    split: Split,
) -> Predictor:
    """Return the predictor made of the kept members, its noise measured on the validation rows.

    Raises:
        SettingError: every network diverged.
    """
    if not kept:
        raise SettingError(
            f"all {len(members)} networks diverged: their loss was no longer a finite number. "
            "Try a smaller --learning-rate, and look for outliers in the data (shoal describe)."
        )
    chosen = tuple(
        EnsembleMember(m.member.id, m.member.hyperparameters.model_dump(mode="json"), m.network, m.parameters)
        for m in (members[i] for i in kept)
    )
    targets = len(dataset.targets)
    plain = Predictor(preparation, chosen, np.zeros(targets), np.full(targets, 1.96))
    rows, weights = split.validation, dataset.weights()
    taken = None if weights is None else weights[rows]
    return with_noise(plain, preparation.transform(dataset.table[rows]), dataset.y()[rows], taken)
