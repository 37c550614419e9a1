from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shoal.serve.address import under
from shoal.serve.guard import Guard, Hosts, new_token

TOKEN = "0123456789abcdef" * 3
ADDRESS = "127.0.0.1:8888"


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    body = scope["query_string"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


def ask(guard: Any, path: str = "/", query: str = "", kind: str = "http", method: str = "GET", **headers: str) -> Any:
    """Return status (or the type of the message of a websocket), headers and body of an answer."""
    sent: list[dict[str, Any]] = []
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in {"host": ADDRESS, **headers}.items()]
    scope = {
        "type": kind, "path": path, "raw_path": path.encode(), "query_string": query.encode(), "headers": raw,
        "method": method, "scheme": "http",
    }  # fmt: skip

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    if kind == "websocket":
        return sent[0]["type"]
    body = b"".join(message.get("body", b"") for message in sent)
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, body


@pytest.fixture
def guard() -> Guard:
    return Guard(app, TOKEN, Hosts("127.0.0.1", ["lab.example.org"]), name="shoal-8888")


def cookie_of(guard: Guard) -> str:
    _, headers, _ = ask(guard, query=f"token={TOKEN}", accept="text/html")
    return headers["set-cookie"].split(";")[0]


def test_without_the_token_nothing_is_answered_but_probes(guard: Guard) -> None:
    status, headers, body = ask(guard, "/runs")
    assert status == 401
    assert headers["content-type"] == "application/problem+json"
    assert b"Authorization: Bearer" in body
    assert ask(guard, "/health")[0] == 200
    assert ask(guard, "/health/../runs")[0] == 401
    assert ask(guard, kind="websocket") == "websocket.close"


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"token {TOKEN}", f"bearer  {TOKEN}"])
def test_the_token_in_a_header_lets_in(guard: Guard, header: str) -> None:
    assert ask(guard, "/runs", authorization=header)[0] == 200
    assert ask(guard, kind="websocket", authorization=header) == "websocket.accept"


@pytest.mark.parametrize("wrong", ["", "x", TOKEN[:-1], TOKEN + "0", TOKEN.upper(), "ä", "%00", f"{TOKEN}%20x"])
def test_a_wrong_token_is_refused(guard: Guard, wrong: str) -> None:
    assert ask(guard, query=f"token={wrong}")[0] == 401
    assert ask(guard, authorization=f"Bearer {wrong}")[0] == 401
    assert ask(guard, cookie=f"shoal-8888={wrong}")[0] == 401
    assert ask(guard, kind="websocket", query=f"token={wrong}") == "websocket.close"


def test_a_program_with_the_token_in_the_url_is_answered_and_the_app_does_not_see_it(guard: Guard) -> None:
    status, _, body = ask(guard, "/runs", query=f"a=1&token={TOKEN}&b=%C3%A4")
    assert (status, body) == (200, b"a=1&b=%C3%A4")
    assert ask(guard, kind="websocket", query=f"token={TOKEN}") == "websocket.accept"


def test_a_browser_gets_the_cookie_and_the_clean_url(guard: Guard) -> None:
    status, headers, _ = ask(guard, "/a/b", query=f"x=1&token={TOKEN}", accept="text/html,*/*")
    assert status == 303
    assert headers["location"] == "./b?x=1"
    name, *rules = headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(rules)
    assert TOKEN not in name
    assert ask(guard, "/a/b", cookie=f"other=1; {name}; more=2")[0] == 200
    assert ask(guard, kind="websocket", cookie=name, origin=f"http://{ADDRESS}") == "websocket.accept"


def test_the_clean_url_stays_on_this_server(guard: Guard) -> None:
    _, headers, _ = ask(guard, "//evil.example", query=f"token={TOKEN}", accept="text/html")
    assert headers["location"] == "./evil.example"  # below //, and not a name of its own


def test_the_cookie_of_another_server_does_not_let_in(guard: Guard) -> None:
    assert ask(Guard(app, new_token(), guard.hosts, name="shoal-8888"), cookie=cookie_of(guard))[0] == 401
    assert ask(Guard(app, TOKEN, guard.hosts, name="shoal-8889"), cookie=cookie_of(guard))[0] == 401


def test_a_page_asks_for_the_token(guard: Guard) -> None:
    status, headers, body = ask(guard, "/", accept="text/html")
    assert status == 401
    assert headers["content-type"].startswith("text/html")
    assert b'name="token"' in body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8888", "10.0.0.1:8888", "127.0.0.1.evil.example", "", "a@b"]
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_foreign_host_is_refused_in_spite_of_the_token(guard: Guard, host: str, kind: str) -> None:
    refusal = ask(guard, kind=kind, host=host, authorization=f"Bearer {TOKEN}")
    assert refusal == "websocket.close" if kind == "websocket" else refusal[0] == 403


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.9:80", "[::1]:8888", "lab.example.org", "localhost."]
)
def test_own_names_are_known(guard: Guard, host: str) -> None:
    assert ask(guard, host=host, authorization=f"Bearer {TOKEN}")[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example", "null", "http://127.0.0.1:3000", "http://localhost:8888", "http://127.0.0.1", "file://",
        "http://127.0.0.1:8888.evil.example", "http://127.0.0.1:8888@evil.example", "127.0.0.1:8888", "http://[",
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_foreign_origin_is_refused_in_spite_of_the_cookie(guard: Guard, origin: str, kind: str) -> None:
    refusal = ask(guard, kind=kind, origin=origin, cookie=cookie_of(guard))
    assert refusal == "websocket.close" if kind == "websocket" else refusal[0] == 403


@pytest.mark.parametrize(("origin", "host"), [
    (f"http://{ADDRESS}", ADDRESS), ("https://lab.example.org", ADDRESS),
    ("https://lab.example.org", "lab.example.org"), ("http://localhost", "localhost:80"),
    ("https://localhost", "localhost"),
])  # fmt: skip
def test_pages_of_this_server_may_ask(guard: Guard, origin: str, host: str) -> None:
    assert ask(guard, host=host, origin=origin, cookie=cookie_of(guard))[0] == 200


def test_pictures_of_foreign_pages_are_refused_and_links_followed(guard: Guard) -> None:
    cookie = cookie_of(guard)
    assert ask(guard, cookie=cookie, sec_fetch_site="same-site", sec_fetch_mode="no-cors")[0] == 403
    assert ask(guard, cookie=cookie, sec_fetch_site="same-site", sec_fetch_mode="navigate")[0] == 200
    assert ask(guard, cookie=cookie, sec_fetch_site="same-origin", sec_fetch_mode="cors")[0] == 200


def test_two_hosts_are_refused(guard: Guard) -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    headers = [(b"host", b"evil.example"), (b"host", ADDRESS.encode()), (b"authorization", b"Bearer " + TOKEN.encode())]
    scope = {"type": "http", "path": "/", "query_string": b"", "headers": headers, "method": "GET"}
    asyncio.run(guard(scope, None, send))  # type: ignore[arg-type]
    assert sent[0]["status"] == 403


def test_a_server_for_others_goes_by_addresses_but_not_by_foreign_names() -> None:
    hosts = Hosts("0.0.0.0")
    assert hosts.known("10.0.0.1:8888")
    assert not hosts.known("evil.example")


def test_markup_in_names_is_text(guard: Guard) -> None:
    _, _, body = ask(guard, host="<script>", accept="text/html")
    assert b"<script>" not in body


def test_the_guard_below_a_base_url() -> None:
    below = under(Guard(app, TOKEN), "/user/ada")
    assert ask(below, "/user/ada/health")[0] == 200
    assert ask(below, "/user/ada/runs")[0] == 401
    status, headers, _ = ask(below, "/user/ada/", query=f"token={TOKEN}", accept="text/html")
    assert (status, headers["location"]) == (303, "./")
    assert "Path=/user/ada/" in headers["set-cookie"]
    assert ask(below, "/user/ada")[:2][1]["location"] == "ada/"
    assert ask(below, "/user/adam")[0] == 404
    assert ask(below, "/other", kind="websocket") == "websocket.close"


def test_an_empty_token_lets_nobody_in() -> None:
    with pytest.raises(ValueError, match="empty"):
        Guard(app, "")
