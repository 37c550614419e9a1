"""Reading the data and splitting their rows, as the settings say."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from shoal.data import Dataset, Split, load_dataset, load_with_test, roles_from_toml, split_rows
from shoal.data.columns import notes_on_identifiers
from shoal.data.leaks import find_leaks
from shoal.data.readers.options import READING, read_options
from shoal.errors import RunError
from shoal.settings import FitSettings
from shoal.steps.folding import default_folds
from shoal.steps.streaming import find_pieces, read_streamed
from shoal.training.progress import Progress


def loading_options(settings: FitSettings) -> dict[str, Any]:
    """Return the settings that say how the data are read, as `load_dataset` takes them."""
    columns = ("target", "features", "y_err", "ignore")
    options: dict[str, Any] = {name: _listed(getattr(settings, name)) for name in columns}
    if settings.x_err:  # errors are no features
        options["ignore"] = [*(options["ignore"] or []), *dict.fromkeys(settings.input_errors().values())]
    if settings.process is not None:
        options["ignore"] = list(dict.fromkeys([*(options["ignore"] or []), settings.process]))
    roles = ("weight", "group", "time", "id", "task", "y_cov", "derive", "where")
    cutting = ("window", "horizon", "series", "season", "per_step", "reconstruct")
    options |= {name: getattr(settings, name) for name in (*roles, *cutting)}
    options["roles"] = None if settings.roles is None else roles_from_toml(settings.roles)
    return options | {"options": read_options({name: getattr(settings, name) for name in READING})}


def read(data: Any, settings: FitSettings) -> tuple[Dataset, Split]:
    """Read the data and split their rows."""
    options, test_rows = loading_options(settings), None
    pieces = find_pieces(data, options["options"], settings.memory)
    if pieces is not None:
        return read_streamed(data, pieces, settings, options)
    if settings.test is None:
        dataset = load_dataset(data, **options)
    else:
        dataset, test_rows = load_with_test(data, settings.test, **options)
    return dataset, split_of(dataset, settings, test_rows)


def split_of(dataset: Dataset, settings: FitSettings, test_rows: np.ndarray | None = None) -> Split:
    """Split the rows of data that are read; `test_rows` are those of a file of their own."""
    test, validation = settings.test_size, settings.validation_size
    sizes = (1.0 - test - validation, validation, test)
    folds = settings.folds if settings.cv is not None else partial(default_folds, dataset, settings)
    chosen: dict[str, Any] = {"sizes": sizes, "folds": folds, "repeats": settings.repeats}
    return split_rows(dataset, seed=settings.seed, test_rows=test_rows, **chosen)


def read_checked(data: Any, settings: FitSettings, progress: Progress, sha256: str | None) -> tuple[Dataset, Split]:
    """Read the data and split their rows; say what is predicted, and warn of what leaks.

    Raises:
        RunError: the data are no longer those of a run, whose checksum is `sha256`.
    """
    dataset, split = read(data, settings)
    progress.note(dataset.announcement())
    if dataset.choice.task_reason:
        progress.note(dataset.choice.task_reason)
    if dataset.stream is not None:
        progress.note(f"read in parts, since the rows do not fit into memory. {dataset.stream.how}")
    for text in dataset.refinement:
        progress.note(text)
    for text in (*said_before_training(dataset), *find_leaks(dataset, split)):
        progress.warn(text)
    if sha256 is not None and dataset.sha256 != sha256:
        raise RunError(f"the data in {dataset.source!r} have changed since the run began; start a new run")
    return dataset, split


def said_before_training(dataset: Dataset) -> tuple[str, ...]:
    """Return how columns were read where they may mean something else, which number the rows, and what may mislead."""
    if dataset.signals is not None and dataset.cut is None:
        return dataset.cautions
    return (*dataset.read_notes, *notes_on_identifiers(dataset.columns), *dataset.cautions)


def _listed(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else list(names)


def kind_of(dataset: Dataset) -> str:
    """Return what networks predict from: table, images or series."""
    return "table" if dataset.signals is None else dataset.signals.kind
