"""Posing the problem: what the networks are to learn, from which rows, by which loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.data import Dataset, Preparation, Split, assign_folds
from shoal.data.columns import Kind
from shoal.data.signals import PADDED
from shoal.data.units import check_errors, full_name
from shoal.errors import NetworkError, SettingError, suggest
from shoal.evaluation.cuts import check_selection
from shoal.evaluation.signal import signal_class
from shoal.networks import Layer, Masking, Network, Normalization
from shoal.prediction.input_errors import error_sizes
from shoal.prediction.scored import Scored
from shoal.results import Task
from shoal.settings import FitSettings
from shoal.statistics.metric_choice import chosen_metrics
from shoal.statistics.metrics import Metric
from shoal.steps.reading import kind_of
from shoal.steps.streaming import may_encode, with_exact_scales, with_stream
from shoal.steps.weighting import mean_weights, teaching_weights, weighed_by_class, weights_of_classes
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.heads import VALUE, GaussianHead
from shoal.training.loss_choice import choose_joint_loss, choose_loss
from shoal.training.losses import Loss
from shoal.training.penalties import user_penalty
from shoal.training.problem import Problem, deal_halves, make_problem


@dataclass(frozen=True)
class Posed:
    """What is to be learnt: the data, their split, preparation and settings, and the problem that networks get.

    `weights` are those by which rows teach, see `shoal.steps.weighting`, of all rows; None: all alike. `class_weight`
    is how much each class counts beside them, `(classes,)` or None; `metrics` are those that are wanted.
    """

    dataset: Dataset
    split: Split
    preparation: Preparation
    problem: Problem
    settings: FitSettings
    weights: np.ndarray | None = None
    class_weight: np.ndarray | None = None
    metrics: tuple[Metric, ...] = ()

    @property
    def teaching_weights(self) -> np.ndarray | None:
        """How much rows count in training, those of their classes included; of steps `(rows, time)`."""
        return weighed_by_class(self.dataset.y(), self.weights, self.class_weight)

    @classmethod
    def of(cls, dataset: Dataset, split: Split, settings: FitSettings) -> Posed:
        """Prepare the data and pose the problem.

        Raises:
            SettingError: a setting does not suit the data.
        """
        settings = settings.with_folds(split.folds)
        settings = settings.model_copy(update={"search": _chosen_search(dataset, settings)})
        if dataset.classes_by_target:
            _check_several_targets(settings)
        metrics = () if dataset.classes_by_target else wanted_metrics(dataset, split, settings)
        preparation = prepare(dataset, split, settings)
        mean = mean_weights(dataset, split, preparation, settings.seed)
        weights = teaching_weights(dataset, split, preparation, mean)
        class_weight = weights_of_classes(dataset, split, settings.class_weight, weights)
        problem = pose(dataset, split, preparation, settings, weights)
        if class_weight is not None:
            problem = problem.weighed_by_class(class_weight)
        if dataset.stream is not None:
            of_rows = weights if problem.known_errors else row_weights(dataset, split.train, weights)
            problem = with_stream(problem, dataset, split, preparation, of_rows, class_weight, mean)
        return cls(dataset, split, preparation, problem, settings, weights, class_weight, metrics)


def _chosen_search(dataset: Dataset, settings: FitSettings) -> str | None:
    """Return how candidates are tried, where nothing is said of them; None: as is usual.

    An early look tells those that will not be kept, so that most of the time goes to those that will. Where
    alternatives of a hyperparameter, a number of candidates, a time or a goal is named, all are seen to their end.
    """
    signals = dataset.signals is not None and kind_of(dataset) != "images" and settings.chosen_folds is None
    apart = signals or dataset.stream is not None or dataset.task is Task.RECONSTRUCTION
    if settings.search is not None or apart:
        return settings.search
    named = settings.networks, settings.network, settings.minutes, settings.until, settings.base, settings.from_run
    return None if any(value is not None for value in named) or settings.knobs() else "halving"


def _check_several_targets(settings: FitSettings) -> None:
    """Refuse what is not answered for several targets of classes that are learned together."""
    for name in ("class_weight", "seal_test", "network"):
        if getattr(settings, name):
            raise SettingError(f"{name}: not for several targets of classes; leave it out, or fit each target alone")


def wanted_metrics(dataset: Dataset, split: Split, settings: FitSettings) -> tuple[Metric, ...]:
    """Return the metrics of the settings; those that are functions of the user have been tried on training rows.

    Raises:
        SettingError: one is not for this task, or fails.
    """
    classes = dataset.classes
    positive = signal_class(classes, settings.signal) if len(classes) == 2 else 1
    metrics = chosen_metrics(settings.metrics, dataset.task, classes, positive)
    truth = Scored.of(dataset.task, dataset.y()[split.train], None).truth
    guess = np.roll(truth, 1, axis=0)
    if dataset.task is Task.CLASSIFICATION:  # as probabilities that are not certain
        guess = 0.5 * np.eye(len(classes))[guess] + 0.5 / len(classes)
    for metric in metrics:
        if metric.task is None and dataset.task is not Task.RECONSTRUCTION:
            metric(truth, guess, np.ones(len(truth)))
    return metrics


def prepare(dataset: Dataset, split: Split, settings: FitSettings) -> Preparation:
    """Return the preparation fitted on the training rows, and the scale of the target that suits the loss."""
    counts = loss_of(dataset, settings).head.counts
    fitted = Preparation.fit(dataset, split.train, normalization=settings.normalization, counts=counts)
    return with_exact_scales(fitted, dataset)


def loss_of(dataset: Dataset, settings: FitSettings) -> Loss:
    """Return the loss that is made small.

    Raises:
        SettingError: it does not suit the task, or has no use for measured errors.
    """
    if dataset.classes_by_target:
        return choose_joint_loss([len(classes) for classes in dataset.classes_by_target.values()], settings.loss)
    loss = choose_loss(dataset.task, len(dataset.classes), settings.loss, settings.scatter, settings.coverage)
    given = "y_err" if dataset.covariance is None else "y_cov"
    if dataset.y_err() is not None and loss.head != VALUE and not isinstance(loss.head, GaussianHead):
        raise SettingError(
            f"loss {loss.name!r} learns how targets are distributed, their errors included, and has no use for "
            f"{given}; leave one of them out, or use gaussian_nll, which learns the scatter beside the errors"
        )
    return loss


def pose(
    dataset: Dataset, split: Split, preparation: Preparation, settings: FitSettings, teaching: np.ndarray | None = None
) -> Problem:
    """Return the problem that the networks are to solve; the test rows are no part of it.

    Rows weigh as `teaching` says, `(rows,)`; by default as in the data.
    """
    classes, loss = len(dataset.classes), loss_of(dataset, settings)
    teaching = dataset.weights() if teaching is None else teaching
    weights, y, errors = row_weights(dataset, split.train, teaching), dataset.y(), dataset.y_err()
    known_errors = errors is not None and isinstance(loss.head, GaussianHead)
    if dataset.task is Task.REGRESSION:
        y = preparation.scale_target(y)
    if known_errors:  # each row has its own weight in the loss, 1 / (σ² + s²)
        y, weights = np.concatenate([y, errors / preparation.target_scale], axis=1), teaching
    reconstruct = dataset.task is Task.RECONSTRUCTION

    def part(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        taken = None if weights is None else weights[rows]
        x = preparation.transform(dataset.inputs(rows))
        # the columns of a table are their own targets; those of images are found in the engine, behind the scaling
        return x, x if reconstruct and x.ndim == 2 else y[rows], taken

    # with folds both are the same rows, and rolling folds say which of them validate
    parts = part(split.train), part(split.validation if split.folds is None else split.train)
    check_augmentation(dataset, settings)
    check_replicas(dataset, settings)
    check_input_errors(dataset, settings)
    check_selection(settings.given(), dataset.classes, dataset.step_targets is not None, len(dataset.classes_by_target))
    problem = make_problem(
        dataset.task,
        loss,
        *parts,
        classes=classes,
        seed=settings.seed,
        folds=deal_folds(dataset, split, settings),
        validation_folds=None if split.rolling is None else split.rolling.judged,
    )
    encodable = not reconstruct and settings.network is None and may_encode(dataset, settings)
    problem = replace(
        problem,
        penalties=tuple(user_penalty(function) for function in settings.penalties),
        stem=stem_of(preparation),
        reconstruct=reconstruct and preparation.signals is not None,
        known_errors=known_errors,
        number_columns=preparation.number_columns if encodable else (),
    )
    return problem if settings.network is None else with_network(problem, settings.network)


def with_network(problem: Problem, network: Network) -> Problem:
    """Return a problem that all members solve by this network, behind the stem.

    Raises:
        NetworkError: its inputs, its outputs or its last activation are not those that the data need.
    """
    shape, last = problem.input_shape, problem.output_activation
    outputs = (shape[0], problem.outputs) if problem.per_step else (problem.outputs,)
    if network.input_shape != shape:
        raise NetworkError(
            f"the network takes rows of shape {network.input_shape}, but the prepared data have {shape}, texts "
            f"and dates encoded; build it with input_shape={shape}, or begin its text with {'x'.join(map(str, shape))}"
        )
    ends = network.output_activation or "linear"
    if network.output_shape != outputs or ends != last:
        raise NetworkError(
            f"the network ends with outputs of shape {network.output_shape} and activation {ends!r}; the data and "
            f"loss {problem.loss.name!r} need {outputs} and {last!r}: end it with "
            f"Dense({outputs[-1]}, activation={last!r}), in a text {outputs[-1]}:{last}"
        )
    return replace(problem, network=Network([*problem.stem, *network.layers], shape))


def check_augmentation(dataset: Dataset, settings: FitSettings) -> None:
    """Check that what is to be augmented can be.

    Raises:
        SettingError: images are to be moved or turned, but there are none, or series whose steps would be others.
    """
    kind = kind_of(dataset)
    able: set[str] = {"images": set(AUGMENTATIONS), "series": {"shift", "zoom", "noise"}}.get(kind, set())
    able = {"noise"} if dataset.task is Task.RECONSTRUCTION else able
    given = [name for name in AUGMENTATIONS if getattr(settings, name) and name not in able]
    if given:
        raise SettingError(f"{given[0]}: only images can be augmented so, but the data are {kind}; leave it out")
    moved = [name for name in ("shift", "zoom") if kind == "series" and getattr(settings, name)]
    if moved and dataset.signals is not None and dataset.signals.lengths is not None:
        raise SettingError(f"{moved[0]}: series of unequal lengths cannot be moved in time; cut them to one length")
    if moved and (dataset.step_targets is not None or dataset.cut is not None):
        raise SettingError(f"{moved[0]}: the target belongs to steps, which cannot be moved in time; leave it out")


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
        DataError: an error is negative.
    """
    if settings.x_err and (dataset.signals is not None or dataset.task is not Task.REGRESSION):
        raise SettingError("x_err is for tables from which numbers are predicted; leave it out")
    numeric = [column.name for column in dataset.features if column.kind is Kind.NUMBER]
    errors = input_errors(dataset, settings)
    for name in errors:
        if name not in numeric:
            raise SettingError(f"x_err: {name!r} is no numeric feature.{suggest(name, numeric)}")
    for column in errors.values():
        error_sizes(dataset.table, column)
    check_errors(errors, dataset.units)


def input_errors(dataset: Dataset, settings: FitSettings) -> dict[str, str]:
    """Return the column of the errors of each feature that has one, by their whole names."""
    columns, pairs = dataset.table.columns, settings.input_errors().items()
    return {full_name(feature, columns): full_name(error, columns) for feature, error in pairs}


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


def row_weights(dataset: Dataset, train: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
    """Return `weight / y_err²` of each row (and target), or None where neither is known.

    Each target counts alike on the training rows, whatever its unit.
    """
    errors = dataset.y_err()
    if errors is None:
        return weights
    precision = 1.0 / np.asarray(errors, np.float64) ** 2
    precision = precision / precision[train].mean(axis=0)
    return precision if weights is None else precision * weights[:, None]
