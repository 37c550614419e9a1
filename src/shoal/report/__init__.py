"""What people look at: the numbers of each figure, the figures, and the page."""

from __future__ import annotations

from pathlib import Path

from shoal.evaluation.record import Record
from shoal.report.figures import FIGURES as FIGURES
from shoal.report.figures import figure_numbers as figure_numbers
from shoal.report.figures import write_figures as write_figures
from shoal.report.page import page_html as page_html
from shoal.report.page import write_page as write_page

__all__ = ["FIGURES", "figure_numbers", "page_html", "write_figures", "write_page", "write_report"]


def write_report(record: Record, folder: Path) -> Path:
    """Write the figures and the page of a run.

    Args:
        record: the finished run.
        folder: the run folder; `figures/` and `report.html` are written in it.

    Returns:
        The path of the page.

    Raises:
        RunError: a file cannot be written.
    """
    return write_page(record, folder, write_figures(record, folder))
