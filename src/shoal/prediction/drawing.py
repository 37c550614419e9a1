"""Drawings of the networks of an ensemble, with the names of its columns, classes or targets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shoal.prediction.ensemble import EnsembleMember
from shoal.prediction.predictor import Predictor
from shoal.results import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_member(
    predictor: Predictor, member: EnsembleMember, path: str | Path | None = None, show_weights: str = "colours"
) -> Figure:
    """Return a figure of one of the networks of an ensemble, as `Network.draw` does.

    Args:
        predictor: the ensemble.
        member: the network.
        path: where to write the figure as well; default nowhere.
        show_weights: see `Network.draw`.

    Raises:
        SettingError: the path has an ending that no figure can be written in.
        NetworkError: a layer is too large for texts.
    """
    preparation = predictor.preparation
    features = preparation.feature_names if preparation.signals is None else None
    outputs = preparation.classes[-member.network.output_shape[-1] :]  # one sigmoid tells the second of two classes
    if preparation.task is Task.REGRESSION:
        outputs = predictor.head.output_names(preparation.targets)
    return member.network.draw(member.parameters, path, features, outputs or None, show_weights=show_weights)
