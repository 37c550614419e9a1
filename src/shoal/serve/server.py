"""The server's processes: the app behind its guard and limits on a socket, one process or several."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from shoal.errors import SettingError
from shoal.run import load
from shoal.serve.address import under
from shoal.serve.guard import Guard, Hosts
from shoal.serve.limits import Limiter, Limits
from shoal.serve.problems import App

_HEADERS_WITHIN = 10.0  # seconds in which the headers of a request have to arrive
_REST = 1.0  # seconds before a worker that died is started again


@dataclass(frozen=True)
class Service:
    """All that a process of the server needs to know.

    Attributes:
        runs: the folder of each run by its name.
        token: what lets in.
        host: the address on which it listens.
        port: the same.
        base: path before all paths, as `base_path` gives it.
        allowed: further names under which it may be addressed.
        limits: see there.
        workers: how many processes.
        counters: the file of counters that they share, where there are several.
    """

    runs: Mapping[str, str]
    token: str
    host: str = "127.0.0.1"
    port: int = 8888
    base: str = ""
    allowed: tuple[str, ...] = ()
    limits: Limits = field(default_factory=Limits)
    workers: int = 1
    counters: str | None = None


def guarded_app(service: Service, worker: int = 0) -> App:
    """Return the app of a service behind its limits, its guard and its base URL, counted.

    Raises:
        RunError: a folder holds no finished run.
    """
    from shoal.serve.app import build_app
    from shoal.serve.describing import OPEN_PATHS
    from shoal.serve.metrics import Counters, Counting

    shared = None if service.counters is None else Path(service.counters)
    counters = Counters(list(service.runs), shared, worker, service.workers)
    app: App = build_app(service.runs, service.limits, counters=counters)
    app = Limiter(app, service.limits, open_paths=OPEN_PATHS)
    hosts = Hosts(service.host, service.allowed)
    app = Guard(app, service.token, hosts, name=f"shoal-{service.port}", open_paths=OPEN_PATHS)
    return under(Counting(app, counters), service.base)


def serve(service: Service, listening: socket.socket, tell_ready: Callable[[], None]) -> None:
    """Serve until a signal comes; requests that are under way are answered first.

    Args:
        service: what is served.
        listening: the socket.
        tell_ready: called once all runs could be read.

    Raises:
        RunError: a folder holds no finished run.
        SettingError: the extra `serve` is not installed.
    """
    check_installed()
    if service.workers == 1:
        app = guarded_app(service)
        tell_ready()
        _run(app, service, listening)
        return
    for folder in service.runs.values():
        load(folder)  # what is wrong with one is said once, and not by each worker
    tell_ready()
    with tempfile.NamedTemporaryFile(prefix="shoal-counters-") as counters:
        _supervise(replace(service, counters=counters.name), listening)


def check_installed() -> None:
    """Raise SettingError if what the server needs is not installed."""
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise SettingError(f"shoal serve needs {error.name}: pip install 'shoal[serve]'") from None


def _run(app: App, service: Service, listening: socket.socket) -> None:
    import uvicorn

    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
    sys.setswitchinterval(0.001)  # a long prediction in a thread keeps others waiting less
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", ws="none", server_header=False,
        http=_patient_protocol(), timeout_keep_alive=30, timeout_graceful_shutdown=int(service.limits.seconds) + 1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listening])


def _patient_protocol() -> Any:
    """Return uvicorn's protocol, but with an end to the patience with headers that do not come.

    uvicorn waits for ever for a client that opens a connection and says nothing, or a letter now and then.
    """
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as Protocol
    except ImportError:
        from uvicorn.protocols.http.h11_impl import H11Protocol as Protocol  # type: ignore[assignment]

    class PatientProtocol(Protocol):
        _timer: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(_HEADERS_WITHIN, transport.close)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            idle = self.cycle is None or self.cycle.response_complete
            if not idle and self._timer is not None:
                self._timer.cancel()
                self._timer = None
            elif idle and self._timer is None:
                self._timer = self.loop.call_later(_HEADERS_WITHIN, self.transport.close)

        def connection_lost(self, exc: Exception | None) -> None:
            if self._timer is not None:
                self._timer.cancel()
            super().connection_lost(exc)

    return PatientProtocol


def _work(service: Service, listening: socket.socket, worker: int) -> None:
    # Ctrl-C reaches all processes of a terminal; the first one tells the others when to stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _run(guarded_app(service, worker), service, listening)


def _supervise(service: Service, listening: socket.socket) -> None:
    """Keep all workers running until a signal comes."""
    context = multiprocessing.get_context("spawn")  # threads of libraries do not survive a fork
    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def start(worker: int) -> Any:
        process = context.Process(target=_work, args=(service, listening, worker), name=f"shoal-serve-{worker}")
        process.start()
        return process

    processes = [start(worker) for worker in range(service.workers)]
    try:
        while not stopping:
            wait([process.sentinel for process in processes], timeout=0.2)
            for worker, process in enumerate(processes):
                if not process.is_alive() and not stopping:
                    logging.getLogger("shoal.serve").warning(
                        "worker %d ended with code %s; starting it again", worker, process.exitcode
                    )
                    time.sleep(_REST)
                    processes[worker] = start(worker)
    finally:
        for process in processes:
            if process.is_alive() and process.pid:
                os.kill(process.pid, signal.SIGTERM)
        for process in processes:
            process.join(service.limits.seconds + 5)
            if process.is_alive():
                process.kill()
        for number, handler in before.items():
            signal.signal(number, handler)
