"""The steps of the main job that need more than a line: reading, posing, training, putting the ensemble together."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

import numpy as np
import polars as pl

from shoal.aside import Aside, take_spare
from shoal.data import (
    Dataset,
    Preparation,
    ReadOptions,
    Split,
    assign_folds,
    load_dataset,
    load_with_test,
    roles_from_toml,
    split_rows,
)
from shoal.data.columns import Kind
from shoal.data.signals import PADDED
from shoal.data.units import check_errors, full_name
from shoal.errors import Interrupted, SettingError, suggest
from shoal.evaluation.baselines import learn_baselines, predict_by
from shoal.evaluation.candidates import choose_bottleneck, choose_candidates, rank_candidates
from shoal.evaluation.error_bars import Held, Measured, with_error_bars, with_region
from shoal.evaluation.evaluation import block_of, joined_rows, prepared_rows
from shoal.evaluation.flat_features import flat_features
from shoal.evaluation.front import choose_small
from shoal.evaluation.noise import total_error, with_scatter
from shoal.evaluation.out_of_fold import OutOfFold, ensemble_member
from shoal.evaluation.parametric_bootstrap import about_the_fit
from shoal.evaluation.predictor import Predictor
from shoal.evaluation.reconstructing import with_alarm
from shoal.evaluation.replicas import redrawn
from shoal.evaluation.selection import check_selection
from shoal.evaluation.series_baselines import forecast_of
from shoal.evaluation.shuffled import Shuffled, train_shuffled
from shoal.networks import Layer, Masking, Normalization
from shoal.networks.bottleneck import code_size
from shoal.repeating import import_meanwhile
from shoal.report import warm_up
from shoal.results import Status, Task
from shoal.runs.folder import RunFolder
from shoal.search.members import replicas_of
from shoal.search.space import Space
from shoal.search.spaces import default_layers, default_space, reconstruction_space, single_space
from shoal.settings import FitSettings
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.checkpointing import checkpoint_from_parts, checkpoint_to_parts
from shoal.training.choice import choose_engine
from shoal.training.heads import VALUE, GaussianHead
from shoal.training.losses import Loss
from shoal.training.member import Member, Problem, TrainedMember
from shoal.training.planner import find_budget
from shoal.training.problem import choose_loss, deal_halves, make_problem
from shoal.training.progress import Progress
from shoal.training.resources import available_cores
from shoal.training.trainer import Checkpoint, Stopped, Training, train

# What baselines, figures and the page need, and nothing before them.
LIBRARIES = ("sklearn.linear_model", "sklearn.ensemble", "matplotlib.figure", "scipy.special", "jinja2")
NETWORKS = 64
NETWORKS_ON_SIGNALS = 24  # which take far longer each
NETWORKS_IN_A_BUDGET = 1024  # with --minutes and no --networks: more than will be reached
SECONDS_TO_FINISH = 6.0  # kept back from a time budget for evaluation and page
SHARE_OF_SEARCH = 0.5  # of a time budget, where replicas need the rest


class Laps:
    """Where the time of a run goes: `seconds` by the name of a part, and in `total`."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.began = self._last = time.perf_counter()

    def end(self, part: str, counted: float = 0.0) -> None:
        """End a part; `counted` of its seconds are told under other names."""
        now = time.perf_counter()
        self.seconds[part] = max(0.0, now - self._last - counted)
        self.seconds["total"] = now - self.began
        self._last = now


def read(data: Any, settings: FitSettings) -> tuple[Dataset, Split]:
    """Read the data and split their rows."""
    columns = ("target", "features", "y_err", "ignore")
    options: dict[str, Any] = {name: _listed(getattr(settings, name)) for name in columns}
    if settings.x_err:  # errors are no features
        options["ignore"] = [*(options["ignore"] or []), *dict.fromkeys(settings.input_errors().values())]
    options |= {name: getattr(settings, name) for name in ("weight", "group", "time", "id", "task", "y_cov")}
    cutting = ("window", "horizon", "series", "season", "per_step", "reconstruct")
    options |= {name: getattr(settings, name) for name in cutting}
    options["roles"] = None if settings.roles is None else roles_from_toml(settings.roles)
    words = ("delimiter", "decimal_comma", "header", "encoding", "sheet", "kind", "image_size")
    options["options"] = ReadOptions(**{name: getattr(settings, name) for name in words})
    test_rows = None
    if settings.test is None:
        dataset = load_dataset(data, **options)
    else:
        dataset, test_rows = load_with_test(data, settings.test, **options)
    test, validation = settings.test_size, settings.validation_size
    sizes = (1.0 - test - validation, validation, test)
    chosen: dict[str, Any] = {"sizes": sizes, "folds": settings.cv, "repeats": settings.repeats}
    return dataset, split_rows(dataset, seed=settings.seed, test_rows=test_rows, **chosen)


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def prepare(dataset: Dataset, split: Split, settings: FitSettings) -> Preparation:
    """Return the preparation fitted on the training rows, and the scale of the target that suits the loss."""
    counts = loss_of(dataset, settings).head.counts
    return Preparation.fit(dataset, split.train, normalization=settings.normalization, counts=counts)


def loss_of(dataset: Dataset, settings: FitSettings) -> Loss:
    """Return the loss that is made small.

    Raises:
        SettingError: it does not suit the task, or has no use for measured errors.
    """
    loss = choose_loss(dataset.task, len(dataset.classes), settings.loss, settings.scatter, settings.coverage)
    given = "y_err" if dataset.covariance is None else "y_cov"
    if dataset.y_err() is not None and loss.head != VALUE and not isinstance(loss.head, GaussianHead):
        raise SettingError(
            f"loss {loss.name!r} learns how targets are distributed, their errors included, and has no use for "
            f"{given}; leave one of them out, or use gaussian_nll, which learns the scatter beside the errors"
        )
    return loss


def pose(dataset: Dataset, split: Split, preparation: Preparation, settings: FitSettings) -> Problem:
    """Return the problem that the networks are to solve; the test rows are no part of it."""
    classes, loss = len(dataset.classes), loss_of(dataset, settings)
    weights, y, errors = row_weights(dataset, split.train), dataset.y(), dataset.y_err()
    known_errors = errors is not None and isinstance(loss.head, GaussianHead)
    if dataset.task is Task.REGRESSION:
        y = preparation.scale_target(y)
    if known_errors:  # each row has its own weight in the loss, 1 / (σ² + s²)
        y, weights = np.concatenate([y, errors / preparation.target_scale], axis=1), dataset.weights()
    reconstruct = dataset.task is Task.RECONSTRUCTION

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        taken = None if weights is None else weights[rows]
        x = preparation.transform(dataset.inputs(rows))
        # the columns of a table are their own targets; those of images are found in the engine, behind the scaling
        return x, x if reconstruct and x.ndim == 2 else y[rows], taken

    # with folds both are the same rows, and rolling folds say which of them validate
    parts = part(split.train), part(split.validation if split.folds is None else split.train)
    options: dict[str, Any] = {"classes": classes, "seed": settings.seed, "penalties": settings.penalties}
    options["known_errors"] = known_errors
    options |= {"stem": stem_of(preparation), "reconstruct": reconstruct and preparation.signals is not None}
    check_augmentation(dataset, settings)
    check_replicas(dataset, settings)
    check_input_errors(dataset, settings)
    check_selection(settings.given(), dataset.classes, dataset.step_targets is not None)
    options["validation_folds"] = None if split.rolling is None else split.rolling.judged
    return make_problem(dataset.task, loss, *parts, folds=deal_folds(dataset, split, settings), **options)


def check_augmentation(dataset: Dataset, settings: FitSettings) -> None:
    """Check that what is to be augmented can be.

    Raises:
        SettingError: images are to be moved or turned, but there are none.
    """
    kind = kind_of(dataset)
    able: set[str] = {"images": set(AUGMENTATIONS), "series": {"noise"}}.get(kind, set())
    able = {"noise"} if dataset.task is Task.RECONSTRUCTION else able
    given = [name for name in AUGMENTATIONS if getattr(settings, name) and name not in able]
    if given:
        raise SettingError(f"{given[0]}: only images can be augmented so, but the data are {kind}; leave it out")


def check_replicas(dataset: Dataset, settings: FitSettings) -> None:
    """Check that there are errors within which the targets can be redrawn.

    Raises:
        SettingError: replicas are wanted, but no column holds the errors of the targets.
    """
    if settings.replicas is None or dataset.y_err() is not None:
        return
    if dataset.task is not Task.REGRESSION:
        raise SettingError(
            "replicas redraw measured numbers within their errors, but here there are none; leave it out"
        )
    what = " and ".join(repr(name) for name in dataset.targets)
    raise SettingError(
        f"replicas redraw the target within its measured errors, but no column holds the errors of {what}; "
        "name it with y_err (--y-err COLUMN), give their covariance (--y-cov FILE), or leave out replicas"
    )


def check_input_errors(dataset: Dataset, settings: FitSettings) -> None:
    """Check that features which have errors are numbers.

    Raises:
        SettingError: there is no such feature, or it holds no numbers.
    """
    if settings.x_err and (dataset.signals is not None or dataset.task is not Task.REGRESSION):
        raise SettingError("x_err is for tables from which numbers are predicted; leave it out")
    numeric = [column.name for column in dataset.features if column.kind is Kind.NUMBER]
    errors = input_errors(dataset, settings)
    for name in errors:
        if name not in numeric:
            raise SettingError(f"x_err: {name!r} is no numeric feature.{suggest(name, numeric)}")
    check_errors(errors, dataset.units)


def input_errors(dataset: Dataset, settings: FitSettings) -> dict[str, str]:
    """Return the column of the errors of each feature that has one, by their whole names."""
    columns = dataset.table.columns
    return {full_name(one, columns): full_name(other, columns) for one, other in settings.input_errors().items()}


def stem_of(preparation: Preparation) -> tuple[Layer, ...]:
    """Return the layers with which every network begins: the scaling of images, the mask of unequal series."""
    signals = preparation.signals
    if signals is None:
        return ()
    if signals.kind == "images":
        return (Normalization(mean=signals.mean, variance=tuple(s**2 for s in signals.scale)),)
    return (Masking(PADDED),) if signals.padded else ()


def deal_folds(dataset: Dataset, split: Split, settings: FitSettings) -> np.ndarray | None:
    """Return the fold of each training row in each repeat, `(rows, repeats)`, or None without folds."""
    if split.folds is None or split.rolling is not None:
        return None if split.rolling is None else split.rolling.held_out
    y, groups, classes = dataset.y()[split.train], dataset.groups(), dataset.strata()
    strata = deal_halves(dataset.task, y, settings.seed)  # each fold has rows that stop and rows that judge
    if classes is not None:
        strata = strata + 2 * classes[split.train]
    taken = None if groups is None else groups[split.train]
    return assign_folds(strata, split.folds, settings.repeats, settings.seed, taken)


def row_weights(dataset: Dataset, train: np.ndarray) -> np.ndarray | None:
    """Return `weight / y_err²` of each row (and target), or None where neither is known.

    Each target counts alike on the training rows, whatever its unit.
    """
    weights, errors = dataset.weights(), dataset.y_err()
    if errors is None:
        return weights
    precision = 1.0 / np.asarray(errors, np.float64) ** 2
    precision = precision / precision[train].mean(axis=0)
    return precision if weights is None else precision * weights[:, None]


def count_candidates(settings: FitSettings, kind: str = "table") -> int:
    """Return how many candidates to propose for data of a kind: table, images or series."""
    if settings.networks is not None:
        return settings.networks
    usual = NETWORKS if kind == "table" else NETWORKS_ON_SIGNALS
    return usual if settings.minutes is None else max(usual, NETWORKS_IN_A_BUDGET // networks_each(settings))


def kind_of(dataset: Dataset) -> str:
    """Return what networks predict from: table, images or series."""
    return "table" if dataset.signals is None else dataset.signals.kind


def networks_each(settings: FitSettings) -> int:
    """Return how many networks a candidate has: folds × repeats."""
    return (settings.cv or 1) * settings.repeats


def choose_space(
    rows: int, task: Task, settings: FitSettings, shape: tuple[int, ...] = (1,), per_step: bool = False
) -> Space:
    """Return what is searched: the default space, or nothing for a single network; what the user fixed stays."""
    fixed = settings.fixed()
    if task is Task.RECONSTRUCTION:
        single = count_candidates(settings) == 1
        return reconstruction_space(shape, rows, fixed, settings.bottleneck, single=single)
    if count_candidates(settings) == 1:
        return single_space(fixed.get("epochs", 200), default_layers(shape, per_step)).fixing(fixed)
    return default_space(rows, task is Task.CLASSIFICATION, shape, per_step).fixing(fixed)


def open_aside() -> Aside:
    """Return a second process for baselines and figures where it helps: on two cores, while libraries are not loaded.

    What a process has loaded for its first fit, later ones find.
    """
    spare = take_spare()
    if spare is not None:
        return spare
    loaded = sys.modules.keys() & {"jax", "sklearn.ensemble"}
    return Aside(start=available_cores() > 1 and not loaded)


def learn_meanwhile(
    aside: Aside, dataset: Dataset, split: Split, preparation: Preparation, seed: int
) -> Callable[[np.ndarray], dict[str, np.ndarray]]:
    """Begin to fit the baselines and return the function that predicts by them; the test rows are not looked at."""
    if dataset.task is Task.RECONSTRUCTION:  # its baselines need the size of the code, which is chosen later
        aside.do(warm_up)
        return lambda _: {}
    train, validation = (prepared_rows(dataset, preparation, rows) for rows in (split.train, split.validation))
    # the baselines learn from all rows that the networks saw; with folds these are one part
    rows = train if split.folds else joined_rows(train, validation)
    aside.load("sklearn.linear_model", "sklearn.ensemble")
    classes = len(dataset.classes)
    forecast = forecast_of(preparation)
    # images become few numbers here, rather than go to the other process
    seen = flat_features(rows.x) if rows.x.ndim == 4 else (lambda x: x)
    x = seen(rows.x)
    learned = aside.do(learn_baselines, dataset.task, x, rows.y, rows.weights, classes, seed, forecast, keep=True)
    training = Event()
    training.set()
    learned.then(lambda: training.is_set() and aside.do(warm_up))  # nobody needs the other process before the page

    def predict(x: np.ndarray) -> dict[str, np.ndarray]:
        training.clear()
        predicted = aside.do(predict_by, learned, seen(x))
        if not learned.ready:
            warm_up()  # rather than wait for the baselines only
        return predicted.result()

    return predict


def train_members(
    problem: Problem,
    members: list[Member],
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder,
    began: float,
    aside: Aside,
    search: Training | None = None,
) -> Training:
    """Train, with a checkpoint in the folder now and then; on Ctrl-C keep what is done and say how to go on.

    The members may be the replicas of those that a `search` found, which is then kept in the same checkpoint.
    """
    choice = choose_engine(problem, members, settings.engine, find_budget(settings.memory))
    progress.stage(choice.stage)
    engine = choice.make()
    import_meanwhile(*(LIBRARIES[-2:] if aside.running else LIBRARIES))
    by_id = {member.id: member for member in members}
    checkpoint = None
    if folder.has_checkpoint:
        checkpoint = checkpoint_from_parts(*folder.load_checkpoint(), problem, by_id)
    seconds = None
    if settings.minutes is not None:
        seconds = max(1.0, 60.0 * settings.minutes - (time.perf_counter() - began) - SECONDS_TO_FINISH)
        seconds *= SHARE_OF_SEARCH if settings.replicas and search is None else 1.0

    save = partial(keep_training, folder, search=search)
    if search is not None:
        save(checkpoint or Checkpoint(engine=engine.name))
    try:
        training = train(problem, members, engine, seconds=seconds, progress=progress, checkpoint=checkpoint, save=save)
        return replace(training, reason=choice.reason)
    except Stopped as stopped:
        save(stopped.checkpoint)
        done = f"{len(stopped.checkpoint.finished)} of {len(members)}"
        raise interrupted(folder, f"{done} networks are" if search is None else f"{done} replicas are") from None


def train_replicas(
    problem: Problem,
    kept: list[TrainedMember],
    dataset: Dataset,
    split: Split,
    preparation: Preparation,
    settings: FitSettings,
    progress: Progress,
    folder: RunFolder,
    began: float,
    aside: Aside,
    search: Training,
) -> list[TrainedMember]:
    """Train the kept members anew on their answers redrawn within the errors, as often as the settings say.

    What is trained is kept in the folder: what follows may be interrupted, too.

    Args:
        problem: that the kept members learned.
        kept: the ensemble.
        dataset: with the measured errors.
        split: its rows.
        preparation: whose scale of the target is that of its errors, too.
        settings: `replicas` of which is None where there are to be none.
        progress: as for `train_members`, and so are the next three.
        folder: of the run.
        began: when the run did.
        aside: the second process.
        search: how the kept members were trained.

    Returns:
        All replicas, with those that failed or that the time did not reach.
    """
    if settings.replicas is None or dataset.y_err() is None:
        keep_training(folder, search.checkpoint)
        return []
    members = replicas_of([trained.member for trained in kept], settings.replicas)
    posed = redrawn(problem, dataset, split, preparation.target_scale, settings.replicas)
    ensemble, weights = alone(kept, preparation, problem), dataset.weights()
    rows = split.validation if split.folds is None else split.train
    errors = np.asarray(dataset.y_err())[rows] / preparation.target_scale
    own = None if weights is None else weights[rows]
    posed = about_the_fit(posed, lambda x: preparation.scale_target(ensemble.mean(x)), own, errors)
    training = train_members(posed, members, settings, progress, folder, began, aside, search)
    keep_training(folder, training.checkpoint, search)
    return training.members


def shuffle_labels(problem: Problem, best: Member, settings: FitSettings) -> Shuffled | None:
    """Train the best candidate on shuffled labels, by the engine that is soonest done; None but for two classes."""
    two = problem.y.shape[1] == 1 or (problem.loss.name == "categorical_crossentropy" and problem.y.shape[1] == 2)
    if problem.task is not Task.CLASSIFICATION or problem.per_step or len(problem.input_shape) > 1 or not two:
        return None
    engine = choose_engine(problem, [best], settings.engine, find_budget(settings.memory)).make()
    return train_shuffled(problem, best, engine)


def interrupted(folder: RunFolder, kept: str) -> Interrupted:
    """Return the error that says what is kept and how to go on."""
    where = folder.path
    return Interrupted(f"stopped; {kept} trained and kept in {where}. Go on with: shoal fit --resume {where}")


def keep_training(folder: RunFolder, checkpoint: Checkpoint, search: Training | None = None) -> None:
    """Keep what is trained in the run folder until the run is written: the replicas beside what a search found."""
    if search is not None:
        checkpoint = replace(checkpoint, finished={**search.checkpoint.finished, **checkpoint.finished})
    folder.save_checkpoint(*checkpoint_to_parts(checkpoint))


def choose_kept(training: Training, settings: FitSettings, folder: RunFolder) -> list[int]:
    """Return the positions of the members of the best candidates, best candidate first.

    In a reconstruction they are those of the smallest bottleneck that is good enough; with `smallest` those that are
    no larger than the smallest candidate as good as the best.

    Raises:
        SettingError: of every candidate a network diverged.
        Interrupted: no candidate had all of its networks when the time was over; what is trained is kept.
    """
    members, each = training.members, networks_each(settings)
    ranked = rank_candidates([m.member.candidate for m in members], [m.score for m in members], each)
    if settings.reconstruct:
        ranked = choose_bottleneck(ranked, {m.member.candidate: code_size(m.network.layers) or 0 for m in members})
    if settings.smallest:
        ranked = choose_small(ranked, members)
    kept = choose_candidates(ranked, settings.keep)
    if kept:
        return [place for standing in kept for place in standing.members]
    if any(len(standing.members) < each for standing in ranked):
        finished = training.checkpoint.finished.items()  # those that the end of the time cut short begin again
        whole = {identity: m for identity, m in finished if m.status is not Status.RUNNING}
        keep_training(folder, Checkpoint(whole))
        raise interrupted(folder, f"no candidate has all of its {each} networks yet, {len(whole)} networks are")
    who = f"all {len(members)} networks" if each == 1 else f"networks of all {len(ranked)} candidates"
    raise SettingError(
        f"{who} diverged: their loss was no longer a finite number. "
        "Try a smaller --learning-rate, and look for outliers in the data (shoal describe)."
    )


def make_ensemble(
    members: list[TrainedMember],
    preparation: Preparation,
    dataset: Dataset,
    split: Split,
    problem: Problem,
    settings: FitSettings,
    replicas: Sequence[TrainedMember] = (),
    folds: OutOfFold | None = None,
) -> tuple[Predictor, Measured]:
    """Return the predictor made of the kept members, its error bars or its alarm measured on the validation rows.

    With `folds` (by default those of the members), each validation row is predicted by the networks of the kept
    candidates that did not learn from it; with rolling folds, by those that learned from the rows before it.
    """
    chosen, redrawn = (tuple(ensemble_member(m) for m in several) for several in (members, replicas))
    reconstruct = dataset.task is Task.RECONSTRUCTION
    targets = members[0].network.output_shape[0] if reconstruct else len(dataset.targets)
    rows, errors = split.validation, dataset.y_err()
    noise = np.zeros(targets)
    if problem.known_errors and errors is not None:  # networks know the scatter; new values have errors like these
        noise = np.sqrt(np.mean(errors[rows] ** 2, axis=0))
    more: dict[str, Any] = {"replicas": redrawn, "head": problem.loss.head}
    plain = Predictor(preparation, chosen, noise, np.full(targets, 1.96), **more)
    folds = folds or OutOfFold.of(problem, chosen)
    judge = plain if folds is None else folds.judge(plain)
    x = preparation.transform(dataset.inputs(rows))
    if reconstruct:
        return with_alarm(plain, x, settings.false_alarm_rate), Measured("")
    weights, groups, column = dataset.weights(), dataset.groups(), dataset.roles.group
    held = Held(
        x,
        dataset.y()[rows],
        None if weights is None else weights[rows],
        None if folds is None else folds.judged,
        None if column is None else dataset.table.get_column(column).cast(pl.String).fill_null("").to_numpy()[rows],
        column,
        block_of(preparation, len(rows)),
        last=None if folds is None else folds.judged_last,
    )
    made, measured = with_error_bars(judge, held, settings.coverage, settings.seed)
    made = replace(made, input_errors=input_errors(dataset, settings))
    if errors is not None:
        sigma = total_error(errors[rows], made.input_spread(dataset.inputs(rows)))
        own, _ = held.nearest(settings.coverage)
        near = held.only(own)
        correlated = dataset.covariance is not None and dataset.covariance.correlated
        whole = dataset.covariance.of(rows[own]) if dataset.covariance is not None and correlated else None
        of_rows = near.x, near.y, sigma[own], near.weights, near.answering, whole
        made = with_scatter(made, tuple(dataset.roles.y_err), *of_rows)
    made = replace(made, members=chosen)
    if preparation.signals is not None:
        return made, measured
    taught = split.train if folds is None else split.train[folds.known][folds.taught_last]
    train = preparation.transform(dataset.inputs(taught))
    return with_region(made, train, settings.seed, None if groups is None else groups[taught]), measured


def alone(members: Sequence[TrainedMember], preparation: Preparation, problem: Problem) -> Predictor:
    """Return the ensemble before anything is known of its errors."""
    none, kept = np.zeros(len(preparation.targets)), tuple(ensemble_member(member) for member in members)
    return Predictor(preparation, kept, none, none + 1.96, head=problem.loss.head)
