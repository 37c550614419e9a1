"""Signals by which a batch system asks a run to stop: what is trained is kept, and the exit code says so."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from shoal.errors import Interrupted

# Of SLURM before the end of the time, of the end of the time itself, and of a terminal that is closed.
NUMBERS = [getattr(signal, name) for name in ("SIGUSR1", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
GRACE_SECONDS = 5.0  # a signal that comes again within them stops nothing that is being kept


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Let SIGUSR1, SIGTERM and SIGHUP stop what is done inside as Ctrl-C does.

    Nothing changes in other threads than the main one, and of signals for which there is a handler, or which are
    ignored. At the end all is as it was before.

    Raises:
        Interrupted: a signal came; its `exit_code` is 75 (EX_TEMPFAIL of sysexits.h: try again).
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[tuple[str, float]] = []

    def stop(number: int, _: FrameType | None) -> None:
        now = time.monotonic()
        if not received or now - received[-1][1] > GRACE_SECONDS:
            received.append((signal.Signals(number).name, now))
            raise KeyboardInterrupt

    before = {n: signal.signal(n, stop) for n in NUMBERS if signal.getsignal(n) is signal.SIG_DFL}
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as error:
        if not received:
            raise
        nothing = "stopped before anything was trained; start it again"
        text = str(error) if isinstance(error, Interrupted) else nothing
        raise Interrupted(f"{received[0][0]}: {text}", exit_code=Interrupted.TRY_AGAIN) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
