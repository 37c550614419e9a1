"""The command line: each command converts what was typed, calls, and prints; it holds no logic of its own."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the words after `shoal`; by default those of the process.

    Example:
        >>> main(["--version"])
        shoal ...
        0
    """
    from shoal.cli.guard import INTERRUPTED, tell
    from shoal.errors import ShoalError

    try:
        from shoal.cli.app import app

        app(args=None if arguments is None else list(arguments), prog_name="shoal")
    except SystemExit as stop:
        if isinstance(stop.__context__, Exception) and isinstance(stop.__context__.__cause__, KeyboardInterrupt):
            tell("error", "interrupted")  # typer makes an exit without a word of it
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:  # before a command began
        tell("error", "interrupted")
        return INTERRUPTED
    except ShoalError as error:  # of a help page, which is printed before a command begins
        tell("error", str(error))
        return error.exit_code
    return 0


def run() -> NoReturn:
    """Be the program `shoal`: run the command line and end the process."""
    try:
        from shoal.cli.streams import prepare_process
        from shoal.steps.signals import interrupt

        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, interrupt)
        prepare_process()
    except KeyboardInterrupt:
        sys.stderr.write("error: interrupted\n")
        leave(130)
    leave(main())


def leave(code: int) -> NoReturn:
    """End the process in good order, but without taking every library apart: that takes half a second with jax.

    Threads that are not daemons are waited for, those of pools told to end, unless the work was stopped, since one may
    compile for long; what is registered with `atexit` is called, and output is flushed; if it cannot be, the exit code
    is 1 unless it says already that something went wrong.
    """
    from shoal.errors import Interrupted, OutputError

    if code not in (Interrupted.BY_USER, Interrupted.TRY_AGAIN):
        threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OutputError as error:
            if not code:  # else it was told already
                sys.stderr.write(f"error: {error}\n")
            code = code or error.exit_code
        except (OSError, ValueError):  # a pipe that nobody reads any more, a stream that is closed
            code = code or 1
    os._exit(code)
