"""How training goes, as lines of text: on stderr of a command that is no terminal, in scripts and in notebooks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TextIO, Unpack

from shoal.errors import SettingError, listing
from shoal.training.progress import Progress, Silent, TrainingNews


def listener(progress: Progress | bool | None) -> Progress:
    """Return who listens: True stands for lines of text on stderr, None and False for nobody.

    Raises:
        SettingError: a listener that lacks a method of `Progress`.

    Example:
        >>> type(listener(True)).__name__, type(listener(None)).__name__
        ('PlainLines', 'Silent')
    """
    if progress is None or isinstance(progress, bool):
        return PlainLines(sys.stderr) if progress else Silent()
    missing = [name for name in ("stage", "note", "warn", "training") if not callable(getattr(progress, name, None))]
    if missing:
        raise SettingError(
            f"progress must be True, False or a listener with the methods stage, note, warn and training, got "
            f"{type(progress).__name__} without {listing(missing)}"
        )
    return progress


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


def training_line(
    trained: int, total: int, epoch: int, best: float | None, metric: str, seconds_left: float | None
) -> str:
    """Return how far training is, in a line.

    >>> training_line(24, 64, 120, 0.9583, "accuracy", 75.0)
    '24/64 networks · epoch 120 · best accuracy 0.958 · 1 min 15 s left'
    """
    parts = [f"{trained}/{total} networks", f"epoch {epoch}"]
    if best is not None and best == best:
        parts.append(f"best {metric.replace('_', ' ')} {best:.3g}")
    if trained < total and seconds_left is not None and 0 <= seconds_left < float("inf"):
        parts.append(f"{duration(seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return whole seconds as people say them.

    >>> duration(7.2), duration(75), duration(7260)
    ('7 s', '1 min 15 s', '2 h 1 min')
    """
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    minutes, rest = divmod(rounded, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
