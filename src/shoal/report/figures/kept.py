"""What a run keeps of its figures, so that they can be drawn again without the data: `figures/numbers.safetensors`.

The numbers of a figure are a dataclass of arrays, texts, numbers and other such dataclasses. Arrays are stored as
they are, equal ones once; all else is JSON in the file's header, as `shoal.codec` writes it.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np

from shoal.codec import decode, encode
from shoal.errors import RunError
from shoal.report.figures.drawable import FigureNumbers, is_drawable
from shoal.runs.documents import check_format, check_seal, read_bytes, sealed, sha256
from shoal.runs.writing import write_atomically

FORMAT = 2
NAME = "numbers.safetensors"
_KEY = "shoal_figures"
_MENDING = "Train the run again: shoal fit --config RUN."


def keep(figures: Mapping[str, FigureNumbers], folder: str | Path) -> Path:
    """Write the numbers of figures into a folder, beside those of other figures that are kept there.

    Raises:
        RunError: the file cannot be written.
    """
    path, both = Path(folder) / NAME, dict(figures)
    if path.is_file():
        with contextlib.suppress(RunError):  # what an earlier shoal kept, or what is damaged, gives way
            both |= {name: figure for name, figure in kept(folder).items() if name not in figures}
    arrays: dict[str, np.ndarray] = {}
    document = {
        "format": FORMAT,
        "figures": [{"name": name, "numbers": encode(figure.numbers, arrays)} for name, figure in both.items()],
    }
    from safetensors.numpy import save

    ordered = {name: np.array(arrays[name], order="C") for name in sorted(arrays)}
    document = sealed({**document, "arrays_sha256": sha256(save(ordered))})
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return write_atomically(path, save(ordered, {_KEY: text}))


def kept(folder: str | Path) -> dict[str, FigureNumbers]:
    """Return the numbers of all figures that are kept in a folder.

    Raises:
        RunError: there are none, or the file is damaged or of another version of shoal.
    """
    _register()
    path = Path(folder) / NAME
    document, arrays = _read(path)
    check_format(path, document.get("format"), FORMAT, _MENDING)
    check_seal(path, document, _MENDING)
    try:
        entries = document["figures"]
        return {entry["name"]: _figure(entry["name"], decode(entry["numbers"], arrays, FORMER)) for entry in entries}
    except (KeyError, TypeError, ValueError, AttributeError, ImportError) as error:
        raise RunError(
            f"{str(path)!r} holds figures that this shoal does not know ({type(error).__name__}: {error}). {_MENDING}"
        ) from error


def _read(path: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    from safetensors import SafetensorError
    from safetensors.numpy import load, save

    data = read_bytes(path, _MENDING)
    try:
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
        document, arrays = json.loads(header["__metadata__"][_KEY]), load(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{str(path)!r} is damaged: it holds no numbers of figures ({error}). {_MENDING}") from error
    known = (None, sha256(save(dict(sorted(arrays.items())))))  # earlier versions of shoal kept no checksum
    if not isinstance(document, dict) or document.get("arrays_sha256") not in known:
        raise RunError(f"{str(path)!r} is damaged: its arrays do not match their checksum. {_MENDING}")
    return document, arrays


def _figure(name: str, numbers: Any) -> FigureNumbers:
    if not is_drawable(numbers):
        raise ValueError(f"there is no figure {name!r}")
    return FigureNumbers(name, numbers)


@lru_cache(maxsize=1)
def _register() -> None:
    """Import every figure, so that its records are known by their names."""
    figures = import_module("shoal.report.figures")
    for module in iter_modules(figures.__path__):
        import_module(f"{figures.__name__}.{module.name}")


# What the first format called the records of figures: by where their classes stood then.
FORMER = {
    "shoal.evaluation.explanation.attribution:Attribution": "attribution.parts",
    "shoal.evaluation.explanation.dependence:Dependence": "dependence",
    "shoal.evaluation.explanation.dependence:Effect": "effect",
    "shoal.evaluation.explanation.importance:Importance": "importance",
    "shoal.evaluation.explanation.importance:ImportanceTable": "importance.table",
    "shoal.evaluation.explanation.interactions:Interaction": "interaction",
    "shoal.evaluation.explanation.interactions:Interactions": "interactions",
    "shoal.evaluation.explanation.scores:Estimate": "estimate",
    "shoal.evaluation.front:Front": "pareto_front",
    "shoal.evaluation.overtraining:ClassScores": "class_scores",
    "shoal.evaluation.record:StepExamples": "step_examples",
    "shoal.evaluation.selection:Scan": "scan",
    "shoal.evaluation.weighted:KolmogorovSmirnov": "kolmogorov_smirnov",
    "shoal.report.figures.anomaly_scores:AnomalyHistogram": "figure.anomaly_histogram",
    "shoal.report.figures.attribution:AttributionFigure": "figure.attribution",
    "shoal.report.figures.bands:Bands": "figure.bands",
    "shoal.report.figures.baselines:Baselines": "figure.baselines",
    "shoal.report.figures.baselines:Panel": "baselines.panel",
    "shoal.report.figures.best_network:BestNetwork": "figure.best_network",
    "shoal.report.figures.bottlenecks:Bottlenecks": "figure.bottlenecks",
    "shoal.report.figures.calibration:Calibration": "figure.calibration",
    "shoal.report.figures.codes_plane:CodesPlane": "figure.codes_plane",
    "shoal.report.figures.confusion:Confusion": "figure.confusion",
    "shoal.report.figures.coverage:Coverage": "figure.coverage",
    "shoal.report.figures.example_images:ExampleImages": "figure.example_images",
    "shoal.report.figures.example_series:ExampleSeries": "figure.example_series",
    "shoal.report.figures.examples:Label": "label",
    "shoal.report.figures.feature_maps:FeatureMaps": "figure.feature_maps",
    "shoal.report.figures.filters:Filters": "figure.filters",
    "shoal.report.figures.forecast:Forecast": "figure.forecast",
    "shoal.report.figures.formula:FormulaFront": "figure.formula_front",
    "shoal.report.figures.front:ScoreBySize": "figure.score_by_size",
    "shoal.report.figures.hidden_states:HiddenStates": "figure.hidden_states",
    "shoal.report.figures.importance:ImportanceFigure": "figure.importance",
    "shoal.report.figures.importance:ImportanceRow": "importance.row",
    "shoal.report.figures.interactions:InteractionsFigure": "figure.interactions",
    "shoal.report.figures.labelled_steps:LabelledSteps": "figure.labelled_steps",
    "shoal.report.figures.learning_curves:LearningCurves": "figure.learning_curves",
    "shoal.report.figures.networks_tried:NetworksTried": "figure.networks_tried",
    "shoal.report.figures.networks_tried:Panel": "networks_tried.panel",
    "shoal.report.figures.overtraining:Scores": "figure.scores",
    "shoal.report.figures.pairs:Pairs": "figure.pairs",
    "shoal.report.figures.partial_dependence:PartialDependence": "figure.partial_dependence",
    "shoal.report.figures.predicted_true:PredictedTrue": "figure.predicted_true",
    "shoal.report.figures.pulls:Pulls": "figure.pulls",
    "shoal.report.figures.reconstructed_columns:ReconstructedColumns": "figure.reconstructed_columns",
    "shoal.report.figures.rejection:Rejection": "figure.rejection",
    "shoal.report.figures.residuals:Residuals": "figure.residuals",
    "shoal.report.figures.saliency:Saliency": "figure.saliency",
    "shoal.report.figures.significance:Significance": "figure.significance",
    "shoal.report.figures.systematic_band:Band": "figure.band",
    "shoal.report.figures.systematic_band:SystematicBand": "figure.systematic_band",
    "shoal.report.figures.targets:TargetRows": "target_rows",
    "shoal.report.figures.tornado:Tornado": "figure.tornado",
    "shoal.report.figures.validation_metric:ValidationMetric": "figure.validation_metric",
    "shoal.results:Interval": "interval",
}
