"""What goes on around a fit: where it is kept, who watches, what helps, and what an interruption leaves."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType

from shoal.errors import Interrupted
from shoal.helper_process import HelperProcess
from shoal.runs.folder import RunFolder
from shoal.steps.timing import Timing
from shoal.training.progress import Progress


@dataclass(frozen=True)
class Session:
    """The circumstances of a fit; at its end the helper is closed, and a folder without content removed.

    Attributes:
        folder: of the run.
        progress: a listener.
        timing: where the time goes, from the beginning of the fit.
        helper: a second process.
    """

    folder: RunFolder
    progress: Progress
    timing: Timing
    helper: HelperProcess

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, where: TracebackType | None) -> None:
        try:
            if kind is KeyboardInterrupt and self.folder.has_checkpoint:
                raise interrupted(self.folder, "the networks are") from None
        finally:
            self.helper.close()
            self.folder.remove_if_unused()


def interrupted(folder: RunFolder, kept: str) -> Interrupted:
    """Return the error that says what is kept and how to go on."""
    where = folder.path
    return Interrupted(f"stopped; {kept} trained and kept in {where}. Go on with: shoal fit --resume {where}")
