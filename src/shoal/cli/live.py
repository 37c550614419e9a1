"""How training goes, on stderr: a live line on a terminal, now and then a plain line elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

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
        with console.status("reading", spinner="dots") as status:
            yield LiveLine(status)
    else:
        from shoal.training.progress_lines import PlainLines

        yield PlainLines(sys.stderr)


class LiveLine:
    """One line that changes in place: stage, networks, epoch, best validation score, time left."""

    def __init__(self, status: Status) -> None:
        self._status = status
        self.warnings: list[str] = []
        self._training = ""

    def stage(self, text: str) -> None:
        """Show what is being done now, beside how far training came."""
        self._show(" · ".join(part for part in (text, self._training) if part))

    def note(self, text: str) -> None:
        """Print a note above the line."""
        from rich.text import Text

        self._status.console.print(Text(text), soft_wrap=True)

    def warn(self, text: str) -> None:
        """Print a warning above the line."""
        from rich.text import Text

        self.warnings.append(text)
        self._status.console.print(Text.assemble(("warning: ", "yellow"), text), soft_wrap=True)

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Show how far training is."""
        from shoal.training.progress_lines import training_line

        self._training = training_line(**news)
        self._show(self._training)

    def _show(self, text: str) -> None:
        from rich.text import Text

        self._status.update(Text(text, no_wrap=True, overflow="ellipsis"))
