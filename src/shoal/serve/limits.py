"""What a server takes on: how large bodies are, how many requests at once, and how long each may take."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

from shoal.serve.problems import App, Message, Receive, Refused, Scope, Send, answer

_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Limits:
    """The limits of a server.

    Args:
        body: the most megabytes of one request, as sent and as unpacked.
        bodies: the most megabytes of all requests that are being received together.
        rows: the most rows of one request.
        requests: the most requests that are worked on or wait; more are answered 503.
        seconds: the most seconds from the whole request to its answer.
        receiving: the most seconds in which a request has to arrive.
    """

    body: float = 32.0
    bodies: float = 256.0
    rows: int = 100_000
    requests: int = 256
    seconds: float = 60.0
    receiving: float = 30.0


class Limiter:
    """ASGI middleware that holds an app to limits.

    The app is asked once the whole body is here, so that slow clients take no place from others.

    Args:
        app: an ASGI app.
        limits: see there.
        streamed: beginnings of paths whose bodies go straight to the app, such as uploads that it writes to a file;
            they are not limited here.
        open_paths: paths that are always answered, such as probes.

    Example:
        >>> limited = Limiter(app, Limits(body=8.0, requests=64), streamed=("/upload",))  # doctest: +SKIP
    """

    def __init__(
        self,
        app: App,
        limits: Limits | None = None,
        *,
        streamed: tuple[str, ...] = (),
        open_paths: Collection[str] = ("/health",),
    ) -> None:
        self.app, self.limits, self.streamed, self.open_paths = app, limits or Limits(), streamed, frozenset(open_paths)
        self.received = 0  # bytes of bodies that are held now
        self.working = 0  # requests that are worked on now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on once it is here, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path = scope["path"].removeprefix(scope.get("root_path", "").rstrip("/"))
        if path in self.open_paths or (self.streamed and path.startswith(self.streamed)):
            await self.app(scope, receive, send)
            return
        held = _Held()
        try:
            body = await self._whole_body(scope, receive, held)
            if body is not None:
                await self._work(scope, _replay(body, receive), send)
        except Refused as refused:
            headers = [(name.lower().encode(), value.encode()) for name, value in refused.headers.items()]
            if not held.ended:
                headers.append((b"connection", b"close"))  # the rest of the body is not waited for
            await answer(send, refused.status, refused.body(), headers=headers)
        finally:
            self.received -= held.bytes

    async def _whole_body(self, scope: Scope, receive: Receive, held: _Held) -> bytes | None:
        """Return the body, or None where the client went away."""
        most = self.limits.body * _MEGABYTE
        for name, value in scope["headers"]:
            if name == b"content-length" and (not value.isdigit() or int(value) > most):
                raise self._too_large()
        message = await self._in_time(receive, self.limits.receiving)
        if not message.get("more_body"):  # nearly always
            self._hold(held, message.get("body", b""))
            held.ended = True
            return message.get("body", b"") if message["type"] == "http.request" else None
        end = time.monotonic() + self.limits.receiving
        chunks: list[bytes] = []
        while True:
            if message["type"] == "http.disconnect":
                return None
            chunks.append(message.get("body", b""))
            self._hold(held, chunks[-1])
            if not message.get("more_body"):
                held.ended = True
                return b"".join(chunks)
            message = await self._in_time(receive, end - time.monotonic())

    async def _in_time(self, receive: Receive, seconds: float) -> Message:
        try:
            async with asyncio.timeout(seconds):
                return await receive()
        except TimeoutError:
            raise Refused(408, f"expected the whole request within {self.limits.receiving:g} s") from None

    def _hold(self, held: _Held, chunk: bytes) -> None:
        held.bytes += len(chunk)
        self.received += len(chunk)
        if held.bytes > self.limits.body * _MEGABYTE:
            raise self._too_large()
        if self.received > self.limits.bodies * _MEGABYTE:
            raise busy(f"the requests that arrive now are larger than {self.limits.bodies:g} MB together")

    def _too_large(self) -> Refused:
        return Refused(413, f"expected a body of {self.limits.body:g} MB at most; send the rows in several requests")

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.working >= self.limits.requests:
            raise busy(f"{self.working} requests are being worked on")
        started = False

        async def sending(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        self.working += 1
        try:
            async with asyncio.timeout(self.limits.seconds):
                await self.app(scope, receive, sending)
        except TimeoutError:
            if started:
                raise
            raise busy(f"the answer took longer than {self.limits.seconds:g} s; send fewer rows") from None
        finally:
            self.working -= 1


class _Held:
    """How much of a body has come, and whether that is all."""

    def __init__(self) -> None:
        self.bytes, self.ended = 0, False


def busy(why: str) -> Refused:
    """Return the refusal of a server that has too much to do, with a time after which to try again."""
    return Refused(503, f"{why}; try again later", {"Retry-After": "1"})


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives a body in one piece, then what the server says."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving
