"""Refusals as JSON in the form of RFC 9457, `application/problem+json`, for every face of a server."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from http import HTTPStatus
from typing import Any

# What ASGI calls its parts; neither Starlette nor FastAPI is needed to speak it.
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = Iterable[tuple[bytes, bytes]]

PROBLEM_JSON = "application/problem+json"


class Refused(Exception):
    """A request that is answered with a sentence instead of what it asked for.

    Args:
        status: the HTTP status, 4xx or 503.
        detail: the sentence: what was expected, what came, how to mend it.
        headers: further headers of the answer, such as Retry-After.
        more: further members of the JSON, such as `errors`, the places of wrong values.
    """

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None, **more: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers, self.more = status, detail, headers or {}, more

    def body(self) -> bytes:
        """Return the JSON."""
        return problem(self.status, self.detail, **self.more)


def problem(status: int, detail: str, **more: Any) -> bytes:
    r"""Return the body of a refusal.

    >>> problem(404, "there is no run 'b'")
    b'{"title": "Not Found", "status": 404, "detail": "there is no run \'b\'"}'
    """
    # Surrogates of broken texts cannot be encoded as UTF-8, escapes can.
    return json.dumps({"title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}).encode()


async def answer(
    send: Send, status: int, body: bytes, media_type: str = PROBLEM_JSON, headers: Headers = (), *, head: bool = False
) -> None:
    """Send a whole answer; with `head` its headers alone."""
    sent = [(b"content-type", media_type.encode()), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": b"" if head else body})
