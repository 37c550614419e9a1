"""A fitted estimator as a notebook shows it below scikit-learn's diagram."""

from __future__ import annotations

import html
import io

from shoal.prediction.predictor import Predictor
from shoal.results import Task


def fitted_html(predictor: Predictor, verdict: str) -> str:
    """Return the verdict and the drawing of the best network."""
    return f"<p>{html.escape(verdict)}</p><div>{drawing(predictor)}</div>"


def drawing(predictor: Predictor) -> str:
    """Return the drawing of the best network as SVG."""
    member, preparation = predictor.members[0], predictor.preparation
    outputs = preparation.classes[-member.network.output_shape[-1] :]  # one sigmoid tells the second of two classes
    if preparation.task is Task.REGRESSION:
        outputs = predictor.head.output_names(preparation.targets)
    figure = member.network.draw(member.parameters, None, preparation.feature_names, outputs or None)
    file = io.StringIO()
    figure.savefig(file, format="svg")
    text = file.getvalue()
    return text[text.index("<svg") :]
