"""Ctrl-C, and the signals by which a batch system asks a run to stop: all keep what is trained."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

from shoal.errors import Interrupted

# Of SLURM before the end of the time, of the end of the time itself, and of a terminal that is closed.
BATCH = [getattr(signal, name) for name in ("SIGUSR1", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
IMPORT_SECONDS = 0.05  # after which a signal within an import is sent again
GRACE_SECONDS = 5.0  # a batch system's signal that comes again within them stops nothing that is being kept


@dataclass
class StopSignal:
    """The signal that asked to stop, if one came: `SIGINT` (Ctrl-C), `SIGTERM`, …

    It is raised as a KeyboardInterrupt where the work stands, but some code swallows it or turns it into another error;
    so whatever ends the work after a signal is taken to be its doing. An import is let come to its end first, since
    libraries in C++ end the process where one breaks off.
    """

    name: str = ""
    moment: float = 0.0
    imports_around: int = 0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        if put_off(number, frame, self.imports_around):
            return
        now = time.monotonic()
        if number in BATCH and self.name and now - self.moment < GRACE_SECONDS:
            return
        self.name, self.moment = self.name or signal.Signals(number).name, now
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt if a signal came and was swallowed."""
        if self.name:
            raise KeyboardInterrupt


def interrupt(number: int, frame: FrameType | None) -> None:
    """Handle Ctrl-C as Python does, but let an import come to its end first, which may swallow it with a traceback."""
    if not put_off(number, frame):
        raise KeyboardInterrupt


def put_off(number: int, frame: FrameType | None, imports_around: int = 0) -> bool:
    """Return whether a signal comes within an import, and if so send it again a little later."""
    if imports_under_way(frame) <= imports_around:
        return False
    again = threading.Timer(IMPORT_SECONDS, signal.raise_signal, (number,))
    again.daemon = True
    again.start()
    return True


def imports_under_way(frame: FrameType | None) -> int:
    """Return how many frames from this one outwards belong to Python's import system."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename.startswith("<frozen importlib")
        frame = frame.f_back
    return count


@contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Let SIGUSR1, SIGTERM and SIGHUP stop what is done inside as Ctrl-C does, and give the signal that came.

    Nothing changes in other threads than the main one, and for signals that somebody else handles or that are ignored.
    At the end all is as it was before.

    Raises:
        Interrupted: a signal came. After those of a batch system, `exit_code` is 75 (EX_TEMPFAIL of sysexits.h: try
            again).
        KeyboardInterrupt: Ctrl-C, before there was anything to keep.
    """
    received = StopSignal(imports_around=imports_under_way(sys._getframe()))
    if threading.current_thread() is not threading.main_thread():
        yield received
        return
    usual = {signal.SIGINT: (signal.default_int_handler, interrupt), **dict.fromkeys(BATCH, (signal.SIG_DFL,))}
    before = {n: signal.signal(n, received) for n, handlers in usual.items() if signal.getsignal(n) in handlers}
    usual_hook = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        # a signal within a callback, such as those of the garbage collector, is swallowed, and told at the next stage
        if not (received.name and isinstance(unraisable.exc_value, KeyboardInterrupt)):
            usual_hook(unraisable)

    sys.unraisablehook = hook
    try:
        yield received
    except BaseException as error:
        if not received.name:
            raise
        if received.name == "SIGINT":
            raise (error if isinstance(error, Interrupted) else KeyboardInterrupt) from None
        text = str(error) if isinstance(error, Interrupted) else "stopped before anything was trained; start it again"
        raise Interrupted(f"{received.name}: {text}", Interrupted.TRY_AGAIN) from None
    finally:
        sys.unraisablehook = usual_hook
        for number, handler in before.items():
            signal.signal(number, handler)
