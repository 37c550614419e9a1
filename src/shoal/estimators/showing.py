"""A fitted estimator as a notebook shows it below scikit-learn's diagram."""

from __future__ import annotations

from shoal.notebook.html import figure_html, paragraph
from shoal.prediction.drawing import draw_member
from shoal.prediction.predictor import Predictor


def fitted_html(predictor: Predictor, verdict: str) -> str:
    """Return the verdict and the drawing of the best network."""
    return paragraph(verdict) + figure_html(draw_member(predictor, predictor.members[0]))
