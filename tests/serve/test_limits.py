from __future__ import annotations

import asyncio
from typing import Any

from shoal.serve.limits import Limiter, Limits


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": message["body"]})


async def never(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(60)


async def ask(limiter: Limiter, chunks: list[bytes | float], path: str = "/", length: str | None = None) -> Any:
    """Send a body in chunks, with pauses where there are numbers; return status, headers and body of the answer."""
    sent: list[dict[str, Any]] = []
    rest = list(chunks)

    async def receive() -> dict[str, Any]:
        while rest and isinstance(rest[0], float):
            await asyncio.sleep(rest.pop(0))
        if not rest:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": rest.pop(0), "more_body": bool(rest)}

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [] if length is None else [(b"content-length", length.encode())]
    await limiter({"type": "http", "path": path, "headers": headers, "method": "POST"}, receive, send)
    if not sent:
        return None
    return sent[0]["status"], dict(sent[0]["headers"]), b"".join(message.get("body", b"") for message in sent)


def test_bodies_arrive_whole() -> None:
    limiter = Limiter(echo)
    assert asyncio.run(ask(limiter, [b"a"]))[2] == b"a"
    assert asyncio.run(ask(limiter, [b"a", b"b", b"c"]))[2] == b"abc"
    assert limiter.received == 0


def test_large_bodies_are_refused_by_their_length_and_without_one() -> None:
    limiter = Limiter(echo, Limits(body=1e-5))
    assert asyncio.run(ask(limiter, [b"0123456789"]))[0] == 200
    assert asyncio.run(ask(limiter, [b""], length="11"))[0] == 413
    assert asyncio.run(ask(limiter, [b""], length="-1"))[0] == 413
    status, headers, _ = asyncio.run(ask(limiter, [b"0123456", b"789x", b"never read"]))
    assert (status, headers[b"connection"]) == (413, b"close")
    assert limiter.received == 0


def test_slow_clients_are_let_go_and_take_no_place() -> None:
    limiter = Limiter(echo, Limits(receiving=0.02, requests=1))

    async def both() -> Any:
        return await asyncio.gather(ask(limiter, [b"a", 30.0, b"b"]), ask(limiter, [b"c"]))

    slow, quick = asyncio.run(both())
    assert (slow[0], quick[0]) == (408, 200)


def test_a_client_that_goes_away_is_not_answered() -> None:
    limiter = Limiter(echo)

    async def gone() -> Any:
        sent: list[Any] = []
        messages = [{"type": "http.request", "body": b"a", "more_body": True}, {"type": "http.disconnect"}]

        async def receive() -> Any:
            return messages.pop(0)

        await limiter({"type": "http", "path": "/", "headers": []}, receive, sent.append)  # type: ignore[arg-type]
        return sent

    assert asyncio.run(gone()) == []
    assert limiter.received == 0


def test_too_many_requests_and_too_long_ones_are_told_to_come_again() -> None:
    limiter = Limiter(never, Limits(requests=2, seconds=0.05))

    async def three() -> Any:
        return await asyncio.gather(*(ask(limiter, [b""]) for _ in range(3)))

    answers = asyncio.run(three())
    assert [status for status, _, _ in answers] == [503, 503, 503]
    assert all(headers[b"retry-after"] == b"1" for _, headers, _ in answers)
    assert sum(b"being worked on" in body for _, _, body in answers) == 1
    assert limiter.working == 0


def test_probes_are_answered_when_all_places_are_taken() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await (echo if scope["path"] == "/health" else never)(scope, receive, send)

    limiter = Limiter(app, Limits(requests=1, seconds=0.05))

    async def both() -> Any:
        return await asyncio.gather(ask(limiter, [b""]), ask(limiter, [b""], "/health"))

    assert [each[0] for each in asyncio.run(both())] == [503, 200]


def test_all_bodies_together_are_limited() -> None:
    limiter = Limiter(echo, Limits(bodies=2e-5))

    async def three() -> Any:
        return await asyncio.gather(*(ask(limiter, [b"0123456789", 0.02, b""]) for _ in range(3)))

    assert sorted(each[0] for each in asyncio.run(three())) == [200, 200, 503]


def test_streamed_paths_go_straight_to_the_app() -> None:
    limiter = Limiter(echo, Limits(body=1e-6), streamed=("/upload",))
    assert asyncio.run(ask(limiter, [b"0123456789"], "/upload/a"))[2] == b"0123456789"
