"""What training tells whoever watches."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """A listener; a command line draws a live line from it, a notebook may draw a bar."""

    def stage(self, text: str) -> None:
        """Say what is being done now, e.g. `compiling`."""

    def warn(self, text: str) -> None:
        """Say what may spoil the result, before the time for training is spent."""

    def training(
        self,
        *,
        trained: int,
        total: int,
        epoch: int,
        best: float | None,
        metric: str,
        seconds_left: float | None,
    ) -> None:
        """Say how far training is: networks done and in all, epoch of the present block, best score so far."""


class Silent:
    """A listener that says nothing."""

    def stage(self, text: str) -> None:
        """Ignore the stage."""

    def warn(self, text: str) -> None:
        """Ignore the warning; the page and `metrics.json` hold it."""

    def training(
        self,
        *,
        trained: int,
        total: int,
        epoch: int,
        best: float | None,
        metric: str,
        seconds_left: float | None,
    ) -> None:
        """Ignore the progress."""
