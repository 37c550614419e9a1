"""The figures of a run, one file each: `numbers(record)` computes what `draw(numbers)` draws."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from shoal.evaluation.record import Record
from shoal.report.figures import (
    anomaly_scores,
    baselines,
    best_network,
    bottlenecks,
    calibration,
    codes_plane,
    confusion,
    coverage,
    example_images,
    example_series,
    feature_maps,
    filters,
    forecast,
    front,
    hidden_states,
    importance,
    labelled_steps,
    learning_curves,
    networks_tried,
    overtraining,
    predicted_true,
    pulls,
    reconstructed,
    reconstructed_columns,
    rejection,
    residuals,
    saliency,
    significance,
    strangest,
    validation_metric,
)
from shoal.report.figures.drawable import FigureNumbers as FigureNumbers
from shoal.report.figures.export import drawing, save, save_table
from shoal.report.figures.kept import keep

FIGURES: dict[str, ModuleType] = {
    "learning_curves": learning_curves,
    "validation_metric": validation_metric,
    "networks_tried": networks_tried,
    "front": front,
    "confusion_matrix": confusion,
    "calibration": calibration,
    "overtraining": overtraining,
    "significance": significance,
    "rejection": rejection,
    "predicted_true": predicted_true,
    "residuals": residuals,
    "pulls": pulls,
    "coverage": coverage,
    "reconstructed": reconstructed,
    "reconstructed_columns": reconstructed_columns,
    "bottlenecks": bottlenecks,
    "codes_plane": codes_plane,
    "anomaly_scores": anomaly_scores,
    "strangest": strangest,
    "baselines": baselines,
    "importance": importance,
    "example_images": example_images,
    "example_series": example_series,
    "labelled_steps": labelled_steps,
    "forecast": forecast,
    "best_network": best_network,
    "filters": filters,
    "feature_maps": feature_maps,
    "saliency": saliency,
    "hidden_states": hidden_states,
}


def figure_numbers(record: Record) -> dict[str, FigureNumbers]:
    """Return the numbers of every figure that this run has, by name.

    A figure that does not apply, such as a confusion matrix in regression, is not there.
    """
    computed = {name: module.numbers(record) for name, module in FIGURES.items()}
    return {name: FigureNumbers(name, n) for name, n in computed.items() if n is not None}


def write_figures(record: Record, folder: Path) -> dict[str, str]:
    """Write each figure as `figures/<name>.svg` and `.pdf` and return it as SVG for the page.

    Its numbers go to `figures/<name>.csv`, and those of all figures to a file from which they can be drawn again.

    Args:
        record: the finished run.
        folder: the run folder.

    Returns:
        For each name an `<svg>` element that follows the page's colours in light and dark.
    """
    return publish(figure_numbers(record), Path(folder) / "figures")


def publish(figures: Mapping[str, FigureNumbers], place: Path) -> dict[str, str]:
    """Write figures into a folder as SVG and PDF, with their numbers as CSV and kept for `shoal figures`.

    Args:
        figures: by name; those that the folder keeps under other names stay.
        place: the folder, which is made if it is missing.

    Returns:
        For each name an `<svg>` element for a page.

    Raises:
        RunError: a file cannot be written.
    """
    elements = {}
    keep(figures, place)
    with drawing():
        for name, figure in figures.items():
            elements[name] = save(figure.draw(), place, name, figure.numbers.alt)
            save_table(figure.numbers.table(), place, name)
    return elements


def keep_figures(record: Record, folder: Path) -> dict[str, FigureNumbers]:
    """Keep the numbers of all figures in a run folder, so that they can be drawn later, and return them."""
    figures = figure_numbers(record)
    keep(figures, Path(folder) / "figures")
    return figures
