"""How training goes, as lines of text on stderr: of a command that is no terminal, in scripts; and who listens."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO, Unpack

from shoal.errors import SettingError, listing
from shoal.notebook.jupyter import in_jupyter, widgets_installed
from shoal.training.progress import Progress, Silent, TrainingNews
from shoal.training.progress_notebook import NotebookCurves
from shoal.training.progress_words import training_line as training_line


def listener(progress: Progress | bool | None) -> Progress:
    """Return who listens: True stands for curves in Jupyter, else lines of text on stderr, None and False for nobody.

    Raises:
        SettingError: a listener that lacks a method of `Progress`.

    Example:
        >>> type(listener(True)).__name__, type(listener(None)).__name__
        ('PlainLines', 'Silent')
    """
    if progress is None or isinstance(progress, bool):
        return _for_here() if progress else Silent()
    missing = [name for name in ("stage", "note", "warn", "training") if not callable(getattr(progress, name, None))]
    if missing:
        raise SettingError(
            f"progress must be True, False or a listener with the methods stage, note, warn and training, got "
            f"{type(progress).__name__} without {listing(missing)}"
        )
    return progress


def _for_here() -> Progress:
    """Return what draws curves in Jupyter, where its package is there, else what prints."""
    if not in_jupyter():
        return PlainLines(sys.stderr)
    if widgets_installed():
        return NotebookCurves()
    lines = PlainLines(sys.stderr)
    lines.note("pip install 'shoal[notebook]' draws the curves of all networks here while they fall")
    return lines


class PlainLines:
    """A line for each stage, and one on training every so many seconds.

    Args:
        stream: where the lines go.
        every: seconds between two lines on training.
        clock: gives the seconds; a test may hand in its own.
    """

    def __init__(self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self.warnings: list[str] = []
        self._every = every
        self._clock = clock
        self._stage = ""
        self._next = -float("inf")
        self._ended = False

    def stage(self, text: str) -> None:
        """Print the stage when it changes."""
        if text != self._stage:
            self._stage = text
            self._print(text)

    def note(self, text: str) -> None:
        """Print a note."""
        self._print(text)

    def warn(self, text: str) -> None:
        """Print a warning."""
        self.warnings.append(text)
        self._print(f"warning: {text}")

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Print how far training is, but not more often than every so many seconds."""
        now = self._clock()
        all_trained = news["trained"] >= news["total"]
        if now >= self._next or (all_trained and not self._ended):
            self._ended = all_trained
            self._next = now + self._every
            self._print(training_line(**news))

    def _print(self, text: str) -> None:
        print(text, file=self._stream, flush=True)
