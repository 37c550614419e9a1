"""What people look at: the numbers of each figure, the figures, and the page."""

from __future__ import annotations

from pathlib import Path

from shoal.evaluation.record import Record
from shoal.helper_process import HelperProcess
from shoal.report.figures import FIGURES, begin_figures, end_figures, figure_numbers, keep_figures, write_figures
from shoal.report.page import page_html, template, write_page

__all__ = [
    "FIGURES",
    "figure_numbers",
    "keep_figures",
    "page_html",
    "warm_up",
    "write_figures",
    "write_page",
    "write_report",
]


def warm_up() -> None:
    """Load what drawing needs, by a figure that nobody sees."""
    from shoal.report.figures.export import drawing, pdf_bytes, svg_text
    from shoal.report.figures.style import add_axes, new_figure

    with drawing():
        figure = new_figure(1.0)
        add_axes(figure, 0.5, 0.5, 0.1, 0.1).set_title("x")
        for render in (svg_text, pdf_bytes):
            render(figure)


def write_report(record: Record, folder: Path, helper: HelperProcess | None = None) -> Path:
    """Write the figures and the page of a run.

    Args:
        record: the finished run.
        folder: the run folder; `figures/` and `report.html` are written in it.
        helper: a process that has loaded what drawing needs; it draws with this one, which draws alone without it.

    Returns:
        The path of the page.

    Raises:
        RunError: a file cannot be written.
    """
    elements = begin_figures(record, folder, helper)
    template()  # which takes as long as several figures, while the helper draws those
    return write_page(record, folder, end_figures(elements))
