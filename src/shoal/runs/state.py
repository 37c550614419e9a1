"""How far the run in a folder came, and who may write in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from shoal.errors import RunError
from shoal.runs import checkpoint, config_file, live_file, lock, metrics_file
from shoal.runs.lock import Lock, locked
from shoal.runs.new_folder import CONTENTS, ESSENTIAL, FOLDERS, not_empty, remove
from shoal.runs.writing import remove_parts


class RunState:
    """The state of the run in a folder."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    @property
    def holds_anything(self) -> bool:
        """Whether anything of a run lies in the folder."""
        return any((self.path / part).exists() for part in CONTENTS)

    @property
    def has_checkpoint(self) -> bool:
        """Whether the folder holds the state of an unfinished run."""
        return checkpoint.has_checkpoint(self.path)

    def lock(self, *, resumed: bool) -> Lock:
        """Return the right to write the run, until it is released; what killed processes left half written is removed.

        Args:
            resumed: the folder holds a run that is not finished; else it must be empty still.

        Raises:
            RunError: another process writes in it, or has done so meanwhile.
        """
        held = Lock(self.path)
        held.acquire()
        self.tidy()
        if resumed and self.finished:
            held.release()
            self.check_unfinished()
        if not resumed and (self.path / config_file.NAME).exists():
            held.release()
            raise not_empty(self.path)
        return held

    @contextlib.contextmanager
    def writing(self, place: str | Path) -> Iterator[None]:
        """Write what later work gives: alone, where `place` lies in the folder of the run, which must be finished.

        Raises:
            RunError: another process writes in the folder, or has begun the run anew.
        """
        inside = Path(place).resolve().is_relative_to(self.path.resolve())
        with locked(self.path) if inside else contextlib.nullcontext():
            if inside:
                self.check_finished()
            yield

    def tidy(self) -> None:
        """Remove what killed processes left half written, and half removed."""
        for folder in (self.path, *(self.path / name for name in FOLDERS)):
            remove_parts(folder, alone=True)
            for deeper in folder.glob("*/") if folder != self.path else ():
                remove_parts(deeper, alone=True)
        if not self.has_checkpoint:
            checkpoint.remove_checkpoint(self.path)

    @property
    def missing(self) -> list[str]:
        """What each finished run has and this folder has not, of `metrics.json` and `model/model.json`."""
        return [name for name in ESSENTIAL if not (self.path / name).is_file()]

    @property
    def finished(self) -> bool:
        """Whether the run came to its end: the numbers and the model are there, and nothing to go on from."""
        return not self.missing and not self.has_checkpoint

    def check_finished(self) -> None:
        """Raise RunError, which says how to go on, unless the run came to its end; what was deleted later may lack."""
        if self.has_checkpoint or len(self.missing) == len(ESSENTIAL):
            raise RunError(f"the run {str(self.path)!r} is not finished; {self.how_to_go_on}.")

    def check_unfinished(self) -> None:
        """Raise RunError if the run came to its end, or if another process writes it.

        What a process left that was killed at the very end is removed.
        """
        if self.finished:
            with locked(self.path):
                self.tidy()
            raise RunError(f"{str(self.path)!r} is finished; there is nothing to go on with")
        who = lock.writer(self.path)
        if who is not None:
            raise lock.busy(self.path, who)

    @property
    def how_to_go_on(self) -> str:
        """What is to be done with a run that is not finished."""
        who = lock.writer(self.path)
        if who is not None:
            return f"it is being written by {who}"
        resume = f"`shoal fit --resume {self.path}`"
        return f"{resume} goes on with it" if self.has_checkpoint else f"fit it again, e.g. with {resume}"

    @property
    def diverged(self) -> bool:
        """Whether all that is left of the run are its numbers and curves: its networks diverged, and none was kept."""
        if self.missing != [ESSENTIAL[1]] or self.has_checkpoint:
            return False
        with contextlib.suppress(RunError):
            return "test" not in metrics_file.read_metrics(self.path)
        return False

    @property
    def test_sealed(self) -> bool:
        """Whether the run is finished and its test rows wait for `shoal open`."""
        return checkpoint.has_checkpoint(self.path, checkpoint.SEALED) and not self.has_checkpoint

    @property
    def seal_lost(self) -> bool:
        """Whether the run is sealed, but what it kept to be opened from is gone."""
        if self.test_sealed or self.missing:
            return False
        return bool(metrics_file.read_metrics(self.path).get("test_openings", 1) == 0)

    def check_test_opened(self) -> None:
        """Raise RunError, which says how to open them, if the test rows are sealed."""
        if self.test_sealed or self.seal_lost:
            raise RunError(
                f"the test rows of {str(self.path)!r} are sealed, and nothing is scored on labelled rows before they "
                f"are opened. Open them once, for all runs that are to be compared: `shoal open {self.path}`"
            )

    def remove_live(self) -> None:
        """Remove what others followed while the run trained, once its log has it."""
        if self.finished or self.diverged:
            with contextlib.suppress(OSError):
                (self.path / live_file.NAME).unlink(missing_ok=True)

    def remove_if_unused(self) -> None:
        """Remove what a run wrote that failed before anything was trained or kept."""
        if self.finished or self.diverged or self.has_checkpoint:
            return
        with contextlib.suppress(OSError):  # the error that ended the run is the one to tell
            for part in CONTENTS:
                remove(self.path / part)
            self.path.rmdir()
