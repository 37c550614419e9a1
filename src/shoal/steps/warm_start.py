"""A warm start: the best candidates of an earlier run on the same columns are the first that a search tries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import polars as pl

from shoal.errors import SettingError, listing
from shoal.runs.folder import RunFolder
from shoal.runs.log import read_candidates
from shoal.search.space import Categorical, Fixed, Limits, Space, changing
from shoal.steps.posing import Posed
from shoal.training.hyperparameters import Hyperparameters

MOST = 8
"""Of an earlier run, as many as make an ensemble by default."""


def candidates_of_run(posed: Posed, space: Space) -> tuple[Hyperparameters, ...]:
    """Return the best candidates of the run that `from_run` names, best first, within the space of this search.

    What this fit fixes, such as the number of epochs, is taken from it; candidates outside of what it names are left
    out, and what is then the same as a better one.

    Raises:
        RunError: there is no such run, or it is not finished.
        SettingError: it learned from other columns, or none of its candidates lies within what is named.
    """
    path = posed.settings.from_run
    if path is None:
        return ()
    folder = RunFolder.open(path)
    folder.check_finished()
    _check_columns(posed, folder)
    log = read_candidates(folder.log).filter(pl.col("score").is_finite()).sort("score", "id")
    fixed = {name: part.value for name, part in space.parts.items() if isinstance(part, Fixed)}
    found = [changing(_candidate(text), fixed) for text in log["candidate"]]
    within = dict.fromkeys(each for each in found if _lies_within(each, space))
    if not within:
        raise SettingError(
            f"from: no candidate of {path!r} lies within the values that are named of {', '.join(space.named)}; "
            "leave out --from, or name wider limits"
        )
    return tuple(within)[:MOST]


def _candidate(text: str) -> Hyperparameters:
    known = Hyperparameters.model_fields
    return Hyperparameters(**{name: value for name, value in json.loads(text).items() if name in known})


def _lies_within(candidate: Hyperparameters, space: Space) -> bool:
    return all(_holds(part, getattr(candidate, name)) for name, part in space.named_parts.items())


def _holds(part: Categorical | Limits, value: Any) -> bool:
    if isinstance(part, Categorical):
        return value in part.values or (isinstance(value, tuple) and len(value) == 1 and value[0] in part.values)
    if isinstance(part.low, tuple):
        layers = zip(part.low, value, part.high, strict=False)
        return len(value) == len(part.low) and all(low <= units <= high for low, units, high in layers)
    return bool(part.low <= value <= part.high)


def _check_columns(posed: Posed, folder: RunFolder) -> None:
    """Refuse a run on other columns, with which."""
    dataset, earlier = posed.dataset, folder.predictor().preparation
    here, path = posed.preparation, str(folder.path)
    if here.task is not earlier.task:
        raise SettingError(
            f"from: {path!r} is a {earlier.task}, and this is a {here.task}; name a run on the same columns"
        )
    kinds = [None if each.signals is None else each.signals.kind for each in (here, earlier)]
    if kinds[0] != kinds[1]:
        now, then = (kind or "a table" for kind in kinds)
        raise SettingError(
            f"from: {path!r} learned from {then}, and this fit does from {now}; name a run on the same data"
        )
    _check_same("targets", dataset.targets, earlier.targets, path)
    _check_same("classes", here.classes, earlier.classes, path)
    if here.signals is None:
        _check_same("features", _features(here), _features(earlier), path)
    elif posed.problem.input_shape[-1] != folder.predictor().members[0].network.input_shape[-1]:
        raise SettingError(f"from: {path!r} learned from {kinds[1]} with other channels; name a run on the same data")


def _features(preparation: Any) -> tuple[str, ...]:
    return (*preparation.input_columns, *preparation.left_out)


def _check_same(what: str, here: Iterable[str], earlier: Iterable[str], path: str) -> None:
    new, gone = sorted(set(here) - set(earlier)), sorted(set(earlier) - set(here))
    if new or gone:
        only = [f"{listing(names)} only {where}" for names, where in ((new, "here"), (gone, "there")) if names]
        raise SettingError(
            f"from: {path!r} had other {what}: {', '.join(only)}; name a run on the same columns, or choose "
            "them alike with --features, --ignore and --target"
        )
