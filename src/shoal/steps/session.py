"""What goes on around a fit: where it is kept, who watches, what helps, and what an interruption leaves."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Unpack

from shoal.cluster.executor import Executor, Here
from shoal.errors import Interrupted, RunError
from shoal.helper_process import HelperProcess
from shoal.runs.folder import RunFolder
from shoal.runs.live_file import LiveFile
from shoal.runs.lock import Lock
from shoal.steps.signals import StopSignal
from shoal.steps.timing import Timing
from shoal.training.progress import CurvePiece, Move, Progress, TrainingNews, show_curves, show_moves


@dataclass
class Session:
    """The circumstances of a fit, which has its folder for itself.

    At its end the helper is closed, and a folder without content removed.

    Attributes:
        folder: of the run.
        progress: a listener.
        timing: where the time goes, from the beginning of the fit.
        helper: a second process.
        received: the signal that asked to stop, if one came.
        resumed: the folder holds a run that is gone on with.
        most_cores: that training may use; None: all that the process may.
        executor: where members are trained.
        writes_page: whether baselines, figures and a page follow, whose libraries are loaded meanwhile.
    """

    folder: RunFolder
    progress: Progress
    timing: Timing
    helper: HelperProcess
    received: StopSignal = field(default_factory=StopSignal)
    resumed: bool = False
    most_cores: int | None = None
    executor: Executor = field(default_factory=Here)
    writes_page: bool = True
    _lock: Lock | None = field(default=None, repr=False)
    _live: LiveFile | None = field(default=None, repr=False)

    def __enter__(self) -> Session:
        try:
            self._lock = self.folder.lock(resumed=self.resumed)
        except BaseException:
            self.helper.close()
            raise
        self.progress = self._live = LiveFile(self.folder.path, self.progress)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if error is None or isinstance(error, Interrupted) or not self.folder.has_checkpoint:
                return
            if self.received.name or isinstance(error, KeyboardInterrupt):
                raise interrupted(self.folder, "what is trained is") from None
            if isinstance(error, RunError):
                raise RunError(f"{error} What is trained is kept. {go_on(self.folder)}") from None
        finally:
            self.helper.close()
            if self._live is not None:
                self._live.ended(error is None)
            self.folder.remove_if_unused()
            self.folder.remove_live()
            if self._lock is not None:
                self._lock.release()
            with contextlib.suppress(OSError):  # it is not empty
                self.folder.path.rmdir()


@dataclass
class Stoppable:
    """Hands on what a listener is told, unless a signal came that was swallowed: then the work stops here."""

    progress: Progress
    received: StopSignal

    def stage(self, text: str) -> None:
        """Tell of a stage."""
        self.received.check()
        self.progress.stage(text)

    def note(self, text: str) -> None:
        """Tell what was settled before training."""
        self.progress.note(text)

    def warn(self, text: str) -> None:
        """Tell of what the user should know."""
        self.progress.warn(text)

    def training(self, **news: Unpack[TrainingNews]) -> None:
        """Tell how far training is."""
        self.received.check()
        self.progress.training(**news)

    def curves(self, pieces: Iterable[CurvePiece]) -> None:
        """Hand on what training added to the curves."""
        show_curves(self.progress, pieces)

    def moves(self, moves: Iterable[Move]) -> None:
        """Hand on who sits down and who leaves."""
        show_moves(self.progress, moves)


def interrupted(folder: RunFolder, kept: str, *, by_user: bool = True) -> Interrupted:
    """Return the error that says what is kept and how to go on."""
    text = f"stopped; {kept} kept in {folder.path}. {go_on(folder)}"
    return Interrupted(text) if by_user else Interrupted(text, Interrupted.TRY_AGAIN)


def go_on(folder: RunFolder) -> str:
    """Return how to go on with an unfinished run, a sentence."""
    if folder.source is None:
        return f"Go on with: shoal.resume({str(folder.path)!r}, data=data)"
    return f"Go on with: shoal fit --resume {folder.path}"
