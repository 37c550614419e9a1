"""A second Python process for work whose result is needed later.

Loading libraries, fitting trees and drawing keep Python's lock, so that a thread would only take turns with what it
was to run beside. The process is a fresh one (nothing is forked: jax has threads), speaks over a socket that nobody
else has, and ends with this one. It is a help, never a need: whatever goes wrong there is done again here, so results
and errors are those of a single process.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import itertools
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class _Kept:
    """Stands for a result that stayed in the other process."""

    number: int


@dataclass
class Later:
    """A result that is on its way; asked for, it is waited for, or computed here if it cannot come."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    answer: Future[Any] | None = None
    _here: list[Any] = field(default_factory=list)

    @property
    def ready(self) -> bool:
        """Whether the result need not be waited for."""
        return self.answer is None or self.answer.done()

    def then(self, action: Callable[[], Any]) -> None:
        """Do something when the other process has the result; never if the work is done here, or given up."""
        if self.answer is not None:
            # what is given up is so while the sender is locked, where more work would wait for ever
            self.answer.add_done_callback(lambda done: done.cancelled() or done.exception() or action())

    def take_back(self) -> bool:
        """Return whether it is to be computed here, since the other process has not begun with it; it then does not."""
        return self.answer is None or self.answer.cancel()

    def result(self) -> Any:
        """Return the result, or raise what the function raises."""
        if self.answer is not None:
            with contextlib.suppress(Exception):  # it may have died, or failed on what fails here, too
                return self.answer.result()
        return self.here()

    def here(self) -> Any:
        """Return the result, computed in this process, once."""
        if not self._here:
            arguments = [a.here() if isinstance(a, Later) else a for a in self.arguments]
            self._here.append(self.function(*arguments))
        return self._here[0]


class HelperProcess:
    """A second process that does one thing after the other.

    Args:
        start: whether there is to be one; without it everything is computed here when it is asked for.

    Example:
        >>> helper = HelperProcess(start=False)
        >>> helper.do(divmod, 7, 3).result()
        (2, 1)
    """

    def __init__(self, *, start: bool = True) -> None:
        self._process: Any = None
        self._link: Any = None
        if start:
            self._process, self._link = _started()
        self._sender = ThreadPoolExecutor(1, "helper")  # sending may block while the other side is at work
        self._numbers = itertools.count()
        self._kept: dict[int, _Kept] = {}
        self._closing = False

    @property
    def running(self) -> bool:
        """Whether there is a second process."""
        return self._process is not None

    def load(self, *modules: str) -> None:
        """Load modules there, in the order of what is done."""
        if self.running:
            self.do(_load, *modules)

    def do(self, function: Callable[..., Any], *arguments: Any, keep: bool = False) -> Later:
        """Begin to compute `function(*arguments)`.

        Args:
            function: a function of a module, so that it has a name that the other process can find.
            arguments: plain data and arrays, or earlier work that was kept.
            keep: the result stays there, as an argument of later work.
        """
        later = Later(function, arguments)
        if self.running and not self._closing:
            number = next(self._numbers)
            stand_ins = tuple(self._kept.get(id(a), a) if isinstance(a, Later) else a for a in arguments)
            later.answer = self._sender.submit(self._ask, (number, function, stand_ins, keep))
            if keep:
                self._kept[id(later)] = _Kept(number)
        return later

    def _ask(self, request: tuple[Any, ...]) -> Any:
        self._link.send(request)
        well, answer = self._link.recv()
        if not well:
            raise RuntimeError("the other process could not do it")
        return answer

    def close(self) -> None:
        """End the other process, whatever it is doing."""
        if self.running:
            self._closing = True  # what is cancelled may ask for more work, which would wait for this very end
            self._process.kill()  # a thread that waits for an answer wakes up
            self._process.wait()
            self._sender.shutdown(wait=True, cancel_futures=True)
            self._link.close()


_SPARE: list[HelperProcess] = []  # started before it was known what for


def start_early(*modules: str) -> None:
    """Start a process and load modules there, while this one still loads its own; `take_spare` gives it away."""
    helper = HelperProcess()
    helper.load(*modules)
    _SPARE.append(helper)
    atexit.register(close_spare)


def take_spare() -> HelperProcess | None:
    """Return the process that was started early, once."""
    return _SPARE.pop() if _SPARE else None


def close_spare() -> None:
    """End a process that was started early and that nobody took."""
    while (helper := take_spare()) is not None:
        helper.close()


def _started() -> tuple[Any, Any]:
    """Return the process and this end of the socket; None and None where there can be no such process."""
    if os.name != "posix" or not sys.executable:
        return None, None
    from multiprocessing.connection import Connection

    ours, theirs = socket.socketpair()
    with theirs:
        code = f"from shoal.helper_process import serve; serve({theirs.fileno()})"
        try:
            process = subprocess.Popen(
                [sys.executable, "-P", "-W", "ignore", "-c", code],  # -P: no module of the user's folder gets in
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for this process alone
            )
        except OSError:
            ours.close()
            return None, None
    return process, Connection(ours.detach())


def serve(handle: int) -> None:
    """Do what comes over a socket until its other end is closed."""
    from multiprocessing.connection import Connection

    threading.Thread(target=_end_with, args=(handle,), daemon=True).start()
    link: Any = Connection(handle)
    kept: dict[int, Any] = {}
    while True:
        try:
            number, function, arguments, keep = link.recv()
            result = function(*(kept[a.number] if isinstance(a, _Kept) else a for a in arguments))
            if keep:
                kept[number], result = result, None
            link.send((True, result))
        except (EOFError, ConnectionError):
            return
        except Exception:  # it is done again where it can be told
            link.send((False, None))


def _end_with(handle: int) -> None:
    """End this process at once when nobody is at the other end of its socket: what it still writes would mix with more.

    The other process may have been killed, and its run be gone on with by a new one.
    """
    watch = select.poll()
    watch.register(handle, select.POLLHUP)
    while not any(event & (select.POLLHUP | select.POLLERR) for _, event in watch.poll()):
        pass
    os._exit(0)


def _load(*modules: str) -> None:
    for name in modules:
        importlib.import_module(name)
