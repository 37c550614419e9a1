"""How training goes, on stderr: a live line on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO, Unpack

if TYPE_CHECKING:
    from rich.status import Status

    from shoal.training.progress import Progress, TrainingNews


@contextmanager
def watching(*, quiet: bool, plain_lines: bool = True) -> Iterator[Progress]:
    """Give the listener that suits stderr.

    Args:
        quiet: give one that says nothing.
        plain_lines: where stderr is no terminal, print lines; False for work that is soon done.

    Example:
        >>> with watching(quiet=True) as progress:
        ...     progress.stage("compiling")
    """
    terminal = sys.stderr.isatty()
    if quiet or not (terminal or plain_lines):
        from shoal.training.progress import Silent

        yield Silent()
    elif terminal:
        from rich.console import Console

        console = Console(stderr=True, highlight=False)
        with console.status("starting", spinner="dots") as status:
            yield LiveLine(status)
    else:
        yield PlainLines(sys.stderr)


class LiveLine:
    """One line that changes in place: stage, networks, epoch, best validation score, time left."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self._training = ""

    def stage(self, text: str) -> None:
        """Show what is being done now, beside how far training came."""
        self._show(" · ".join(part for part in (text, self._training) if part))

    def warn(self, text: str) -> None:
        """Print a warning above the line."""
        from rich.text import Text

        self._status.console.print(Text.assemble(("warning: ", "yellow"), text), soft_wrap=True)

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Show how far training is."""
        self._training = training_line(**news)
        self._show(self._training)

    def _show(self, text: str) -> None:
        from rich.text import Text

        self._status.update(Text(text, no_wrap=True, overflow="ellipsis"))


class PlainLines:
    """A line for each stage, and one on training every so many seconds.

    Args:
        stream: where the lines go.
        every: seconds between two lines on training.
        clock: gives the seconds; a test may hand in its own.
    """

    def __init__(self, stream: TextIO, every: float = 10.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
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

    def warn(self, text: str) -> None:
        """Print a warning."""
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
