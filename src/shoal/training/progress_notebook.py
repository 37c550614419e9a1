"""How training goes, in Jupyter: the validation curves of all networks as they fall, and the line of text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Unpack

from shoal.notebook.curve_table import CurveTable
from shoal.training.progress import CurvePiece, TrainingNews
from shoal.training.progress_words import training_line

if TYPE_CHECKING:
    from shoal.notebook.widget import CurvesWidget

EVERY = 0.1  # seconds between two pictures at least


class NotebookCurves:
    """A listener that shows a widget in the cell that runs.

    Args:
        clock: gives the seconds; a test may hand in its own.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.warnings: list[str] = []
        self._clock = clock
        self._table = CurveTable()
        self._notes: list[str] = []
        self._stage = self._line = self._metric = ""
        self._next = -float("inf")
        self._widget: CurvesWidget | None = None

    def stage(self, text: str) -> None:
        """Show the stage, beside how far training came."""
        if text != self._stage:
            self._stage = text
            self._show()

    def note(self, text: str) -> None:
        """Show a note above the curves."""
        self._notes.append(text)
        self._show()

    def warn(self, text: str) -> None:
        """Show a warning above the curves."""
        self.warnings.append(text)
        self._show()

    def curves(self, pieces: Iterable[CurvePiece]) -> None:
        """Add to the curves, which are shown with the next line."""
        for piece in pieces:
            self._table.add(*piece)

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Show how far training is, some times a second at most."""
        self._stage, self._line, self._metric = "", training_line(**news), news["metric"]
        if self._clock() >= self._next or news["trained"] >= news["total"]:
            self._show()

    def ended(self, well: bool) -> None:
        """Show the final state."""
        if self._widget is not None:
            self._stage = "done" if well else "stopped"
            self._show(ended=True)
            self._widget.keep()

    def _show(self, *, ended: bool = False) -> None:
        if self._widget is None:
            from shoal.notebook.widget import CurvesWidget

            self._widget = CurvesWidget.displayed()
        words: dict[str, Any] = {"notes": self._notes, "warnings": self.warnings, "metric": self._metric}
        line = " · ".join(part for part in (self._stage, self._line) if part)
        self._widget.show(self._table.picture(), len(self._table), line, words, ended=ended)
        self._next = self._clock() + EVERY
