"""Posing the problem: what the networks are to learn, from which rows, by which loss."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from shoal.data import Dataset, Preparation, Split, assign_folds
from shoal.data.columns import Kind
from shoal.data.signals import PADDED
from shoal.data.units import check_errors, full_name
from shoal.errors import SettingError, suggest
from shoal.evaluation.cuts import check_selection
from shoal.networks import Layer, Masking, Normalization
from shoal.prediction.input_errors import error_sizes
from shoal.results import Task
from shoal.settings import FitSettings
from shoal.steps.reading import kind_of
from shoal.steps.weighting import teaching_weights
from shoal.training.augmentation import AUGMENTATIONS
from shoal.training.heads import VALUE, GaussianHead
from shoal.training.loss_choice import choose_joint_loss, choose_loss
from shoal.training.losses import Loss
from shoal.training.problem import Problem, deal_halves, make_problem


@dataclass(frozen=True)
class Posed:
    """What is to be learnt: the data, their split, preparation and settings, and the problem that networks get.

    `weights` are those by which rows teach, see `shoal.steps.weighting`, of all rows; None: all alike.
    """

    dataset: Dataset
    split: Split
    preparation: Preparation
    problem: Problem
    settings: FitSettings
    weights: np.ndarray | None = None

    @classmethod
    def of(cls, dataset: Dataset, split: Split, settings: FitSettings) -> Posed:
        """Prepare the data and pose the problem.

        Raises:
            SettingError: a setting does not suit the data.
        """
        preparation = prepare(dataset, split, settings)
        weights = teaching_weights(dataset, split, preparation, settings.seed)
        problem = pose(dataset, split, preparation, settings, weights)
        return cls(dataset, split, preparation, problem, settings, weights)


def prepare(dataset: Dataset, split: Split, settings: FitSettings) -> Preparation:
    """Return the preparation fitted on the training rows, and the scale of the target that suits the loss."""
    counts = loss_of(dataset, settings).head.counts
    return Preparation.fit(dataset, split.train, normalization=settings.normalization, counts=counts)


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
    dataset: Dataset,
    split: Split,
    preparation: Preparation,
    settings: FitSettings,
    teaching: np.ndarray | None = None,
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
    return replace(
        problem,
        penalties=settings.penalties,
        stem=stem_of(preparation),
        reconstruct=reconstruct and preparation.signals is not None,
        known_errors=known_errors,
    )


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
