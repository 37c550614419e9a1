"""What the estimators share: parameters, the fit, the model as bytes, and how they show themselves."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import polars as pl
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted

from shoal.errors import ShoalWarning, counted
from shoal.estimators.learning import learn
from shoal.estimators.parameters import settings_of
from shoal.estimators.rows import features_of, learning_rows
from shoal.estimators.verdict import verdict_of
from shoal.notebook.html import figure_html, paragraph
from shoal.prediction.drawing import draw_member
from shoal.prediction.predictor import Predictor
from shoal.results import Task
from shoal.runs.model_file import model_from_bytes, model_to_bytes

MODELS = "_predictors"


class ShoalEstimator(BaseEstimator):
    """The main job behind scikit-learn's interface; see its subclasses."""

    _task: ClassVar[Task]

    @property
    def predictors_(self) -> tuple[Predictor, ...]:
        """The fitted ensembles: one, or one for each of several targets of classes."""
        check_is_fitted(self)
        models: tuple[Predictor, ...] = getattr(self, MODELS)
        return models

    def _fit(self, X: Any, targets: Any, sample_weight: Any, **columns: Any) -> None:
        """Fit on a table of features and the columns of the targets; `columns` as of `learning_rows`."""
        settings = settings_of(self._task, self.get_params(deep=False))
        dataset = learning_rows(X, targets, self._task, sample_weight=sample_weight, **columns)
        fits = learn(dataset, settings, self.n_jobs)
        setattr(self, MODELS, tuple(fitted.predictor for fitted in fits))
        self.verdict_ = verdict_of(fits)

    def _prepared(self, X: Any) -> list[tuple[Predictor, np.ndarray]]:
        """Return who predicts with the prepared rows; a ShoalWarning tells of categories that the fit did not see."""
        check_is_fitted(self)
        table = features_of(self, X, reset=False)
        predictors = [predictor.in_float64() for predictor in self.predictors_]
        _warn_of_unknown(predictors[0], table)
        return [(predictor, predictor.preparation.transform(table)) for predictor in predictors]

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, MODELS)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        if MODELS in state:
            state[MODELS] = tuple(model_to_bytes(predictor) for predictor in state[MODELS])
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        if MODELS in state:
            state = {**state, MODELS: tuple(model_from_bytes(data) for data in state[MODELS])}
        super().__setstate__(state)

    def _repr_html_inner(self) -> str:
        """Return what notebooks show: scikit-learn's diagram, and of a fitted estimator the verdict and a drawing."""
        shown = str(super()._repr_html_inner())
        if not self.__sklearn_is_fitted__():
            return shown
        best = self.predictors_[0]
        return shown + paragraph(self.verdict_) + figure_html(draw_member(best, best.members[0]))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = dict(super()._repr_mimebundle_(**kwargs))
        if "text/html" in bundle:
            bundle["text/html"] = self._repr_html_inner()
        return bundle


def _warn_of_unknown(predictor: Predictor, table: pl.DataFrame) -> None:
    for column, rows in predictor.preparation.unknown_categories(table).items():
        text = f"{column!r}: {counted(rows, 'row')} with a category that the fit did not see, taken as no known one"
        warnings.warn(text, ShoalWarning, stacklevel=4)


def checked_weights(sample_weight: Any, features: pl.DataFrame) -> np.ndarray | None:
    """Return the weights of rows as numbers, None where there are none."""
    if sample_weight is None:
        return None
    return np.asarray(_check_sample_weight(sample_weight, features, dtype=np.float64))


def check_y_given(estimator: Any, y: Any) -> None:
    """Raise scikit-learn's ValueError where there is no y."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
