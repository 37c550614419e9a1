"""From a data file to an honestly evaluated predictor with error bars.

`import shoal` imports nothing heavy: each public name is loaded when it is first used.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shoal.after.citing import cite as cite
    from shoal.after.comparing import compare as compare
    from shoal.after.explaining import explain as explain
    from shoal.after.exporting import export_model as export_model
    from shoal.after.formulas import formula as formula
    from shoal.after.selecting import select as select
    from shoal.after.unsealing import open_test as open_test
    from shoal.after.varying import systematics as systematics
    from shoal.data.builtin.sets import BUILTIN
    from shoal.data.loading import load_dataset as load_dataset
    from shoal.errors import DataError as DataError
    from shoal.errors import Interrupted as Interrupted
    from shoal.errors import NetworkError as NetworkError
    from shoal.errors import RunError as RunError
    from shoal.errors import SettingError as SettingError
    from shoal.errors import ShoalError as ShoalError
    from shoal.errors import ShoalWarning as ShoalWarning
    from shoal.estimators.autoencoder import ShoalAutoencoder as ShoalAutoencoder
    from shoal.estimators.classifier import ShoalClassifier as ShoalClassifier
    from shoal.estimators.regressor import ShoalRegressor as ShoalRegressor
    from shoal.evolution.evolving import evolve as evolve
    from shoal.evolution.search import Evolution as Evolution
    from shoal.fit import fit as fit
    from shoal.fit import plan as plan
    from shoal.fit import resume as resume
    from shoal.networks import Network as Network
    from shoal.networks.images import convolve as convolve
    from shoal.networks.images import pool as pool
    from shoal.networks.layers import *  # noqa: F403 - every layer
    from shoal.results import Interval as Interval
    from shoal.results import Task as Task
    from shoal.run import Run as Run
    from shoal.run import load as load
    from shoal.search.knobs import between as between
    from shoal.search.knobs import choices as choices
    from shoal.trained.trained_network import TrainedNetwork as TrainedNetwork

    datasets = BUILTIN

__version__ = "0.1.0"

# The public names that each module holds.
_MODULES = {
    "shoal.fit": ("fit", "plan", "resume"),
    "shoal.run": ("Run", "load"),
    "shoal.after.citing": ("cite",),
    "shoal.after.exporting": ("export_model",),
    "shoal.after.comparing": ("compare",),
    "shoal.after.explaining": ("explain",),
    "shoal.after.formulas": ("formula",),
    "shoal.after.selecting": ("select",),
    "shoal.after.unsealing": ("open_test",),
    "shoal.after.varying": ("systematics",),
    "shoal.data.builtin.sets": ("datasets",),
    "shoal.data.loading": ("load_dataset",),
    "shoal.errors": (
        "DataError", "Interrupted", "NetworkError", "RunError", "SettingError", "ShoalError", "ShoalWarning",
    ),
    "shoal.estimators.autoencoder": ("ShoalAutoencoder",),
    "shoal.estimators.classifier": ("ShoalClassifier",),
    "shoal.estimators.regressor": ("ShoalRegressor",),
    "shoal.evolution.evolving": ("evolve",),
    "shoal.evolution.search": ("Evolution",),
    "shoal.networks": ("Network",),
    "shoal.networks.images": ("convolve", "pool"),
    "shoal.networks.layers": (
        "Activation", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "BatchNormalization",
        "Bidirectional", "Branches", "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D",
        "Conv3DTranspose", "Cropping1D", "Cropping2D", "Cropping3D", "Dense", "DenseWithConstants",
        "DepthwiseConv1D", "DepthwiseConv2D", "Dropout", "ELU", "Embedding", "Flatten", "GRU", "GaussianNoise",
        "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
        "GlobalMaxPooling2D", "GlobalMaxPooling3D", "GroupNormalization", "Identity", "LSTM",
        "LayerNormalization", "LeakyReLU", "Masking", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
        "MinPooling1D", "MinPooling2D", "MinPooling3D", "Normalization", "PReLU", "Permute",
        "PiecewiseEncoding", "QuantileEncoding", "ReLU", "RepeatVector", "Rescaling", "Reshape", "Residual",
        "SeparableConv1D", "SeparableConv2D", "SimpleRNN",
        "Softmax", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "TimeDistributed",
        "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
    ),
    "shoal.results": ("Interval", "Task"),
    "shoal.search.knobs": ("between", "choices"),
    "shoal.trained.trained_network": ("TrainedNetwork",),
}  # fmt: skip
_PUBLIC = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [*sorted(_PUBLIC), "__version__"]


class _Package(ModuleType):
    """The package, whose public names win over submodules: `shoal.fit` is the function, never the file."""

    def __setattr__(self, name: str, value: Any) -> None:
        # The import system stores each submodule here; `shoal/fit.py` would hide the function `fit`.
        if isinstance(value, ModuleType) and _PUBLIC.get(name) == value.__name__:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        from shoal.errors import suggest

        raise AttributeError(f"module 'shoal' has no attribute {name!r}.{suggest(name, _PUBLIC)}")
    value = getattr(importlib.import_module(_PUBLIC[name]), "BUILTIN" if name == "datasets" else name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
