"""The process around the command line: its streams, and what libraries read from the environment."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import warnings
from typing import Any

from shoal.errors import OutputError


class _Output(io.FileIO):
    """Standard output; a failure is told as `OutputError`, but a closed pipe as ever."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OutputError(
                f"standard output could not be written ({error.strerror}), and what was to be printed is lost."
            ) from error


class _Messages(io.FileIO):
    """Standard error; what cannot be written is dropped, since there is nowhere else to say it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


def prepare_process() -> None:
    """Prepare the streams, let libraries keep their warnings to themselves, and draw into files only.

    Warnings are for whom writes programs; `SHOAL_DEBUG=1` shows them. What a user should know is a `ShoalWarning`.
    """
    from shoal.cli.guard import debugging

    prepare_streams()
    os.environ["MPLBACKEND"] = "agg"
    if not debugging():
        warnings.simplefilter("ignore")
        logging.getLogger().addHandler(logging.NullHandler())


def prepare_streams() -> None:
    r"""Give the process a standard output and a standard error that end well, whatever they lead to.

    * A stream that is closed is opened on nothing, so that no file of a run gets its number.
    * Letters that its encoding lacks are written as `\xe9`, not refused.
    * Messages that cannot be written are dropped; output that cannot be is an `OutputError`.
    """
    for number in range(3):
        _open_if_closed(number)
    sys.stdout = _text(_Output(1, "w", closefd=False), sys.stdout)
    sys.stderr = _text(_Messages(2, "w", closefd=False), sys.stderr)


def _open_if_closed(number: int) -> None:
    try:
        os.fstat(number)
    except OSError as error:
        if error.errno != errno.EBADF:
            return
        # output of its own must fail: it is opened for reading
        opened = os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)


def _text(raw: io.FileIO, like: Any) -> io.TextIOWrapper:
    encoding = getattr(like, "encoding", None) or "utf-8"
    terminal = raw.isatty()
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, "backslashreplace", line_buffering=terminal or raw.fileno() == 2
    )
