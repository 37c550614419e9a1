"""Who may speak with a server on this machine: a token first, a cookie after, and no page of a foreign site.

A browser lets any page that it shows speak with servers on 127.0.0.1. Three things keep such pages away: the token,
which they do not know; the cookie, which browsers send from pages of this server alone (SameSite=Strict); and the names
in `Host` and `Origin`, which say through which name and from which page a request came. DNS rebinding, where a foreign
name is made to point at 127.0.0.1, shows itself in `Host`.
"""

from __future__ import annotations

import hmac
import html
import ipaddress
import secrets
import socket
from collections.abc import Collection
from urllib.parse import parse_qsl, urlencode, urlsplit

from shoal.serve.problems import App, Headers, Message, Receive, Scope, Send, answer, problem

_CLOSED = 1008  # the code of websockets for "policy violation"
_SAFE_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
)
_DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def new_token() -> str:
    """Return a token that nobody guesses: 192 random bits as 48 hexadecimal digits."""
    return secrets.token_hex(24)


def is_loopback(host: str) -> bool:
    """Return whether a name or address means this machine alone.

    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("::1"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    address = _address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


class Hosts:
    """The names under which a server may be addressed, and from whose pages.

    Args:
        bound: the address on which it listens. On a loopback address it goes by localhost and loopback addresses; on
            others by any address and the name of this machine as well.
        allowed: further names, such as that of a proxy before it.

    Example:
        >>> hosts = Hosts("127.0.0.1", ["lab.example.org"])
        >>> [hosts.known(host) for host in ("localhost:8888", "[::1]", "lab.example.org", "evil.example", "10.0.0.1")]
        [True, True, True, False, False]
        >>> hosts.same_origin("http://localhost:8888", "localhost:8888")
        True
        >>> hosts.same_origin("http://localhost:3000", "localhost:8888")  # another program on this machine
        False
    """

    def __init__(self, bound: str = "127.0.0.1", allowed: Collection[str] = ()) -> None:
        self.loopback_only = is_loopback(bound)
        self.allowed = frozenset(name.lower() for name in allowed)
        here = socket.gethostname().lower()
        own = {bound.lower(), here, here.split(".")[0], f"{here.split('.')[0]}.local"}
        self.own = self.allowed | ({"localhost"} if self.loopback_only else own | {"localhost"})
        self._known: dict[str, bool] = {}

    def known(self, host: str) -> bool:
        """Return whether a `Host` header names this server."""
        if host not in self._known:
            if len(self._known) > 1000:  # foreign names must not fill the memory
                self._known.clear()
            self._known[host] = self._is_known(host)
        return self._known[host]

    def _is_known(self, host: str) -> bool:
        name = _split(f"//{host}")[0]
        address = _address(name)
        if address is None:
            return name in self.own
        # Rebinding needs a name: an address in Host is what the user typed.
        return name in self.own or address.is_loopback or not self.loopback_only

    def same_origin(self, origin: str, host: str) -> bool:
        """Return whether an `Origin` header names a page of this server, which is addressed as `host`."""
        name, port, scheme = _split(origin)
        if name in self.allowed:
            return True
        own, own_port, _ = _split(f"//{host}")
        default = _DEFAULT_PORTS.get(scheme)
        return bool(name) and name == own and default is not None and (port or default) == (own_port or default)


def _split(url: str) -> tuple[str, int | None, str]:
    """Return name, port and scheme of a URL; an empty name if it has none or is broken."""
    try:
        parts = urlsplit(url)
        plain = parts.hostname is not None and not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
        return (parts.hostname or "").rstrip(".") if plain else "", parts.port, parts.scheme
    except ValueError:
        return "", None, ""


class Guard:
    """ASGI middleware that lets requests and websockets with the token or its cookie through to an app.

    The token comes as `Authorization: Bearer TOKEN` (or `token TOKEN`, as Jupyter says it), or as `?token=TOKEN`, from
    which it is taken out. A browser that brings it in the URL gets the cookie and is sent to the URL without it.

    Args:
        app: an ASGI app.
        token: what lets in; see `new_token`.
        hosts: the names under which the server may be addressed.
        name: of the cookie. Cookies do not tell ports apart, so two servers on one machine need two names.
        open_paths: paths that need neither token nor known name, such as probes.

    Example:
        >>> guarded = Guard(app, new_token(), Hosts("127.0.0.1"), name="shoal-8888")  # doctest: +SKIP
    """

    def __init__(
        self,
        app: App,
        token: str,
        hosts: Hosts | None = None,
        *,
        name: str = "shoal",
        open_paths: Collection[str] = ("/health",),
    ) -> None:
        if not token:
            raise ValueError("the token is empty; new_token() makes one")
        self.app, self.hosts, self.name, self.open_paths = app, hosts or Hosts(), name, frozenset(open_paths)
        self._token = token.encode()
        # The cookie tells the token to nobody, and stays good when a server starts again with the same token.
        self._cookie = hmac.new(self._token, b"cookie of shoal", "sha256").hexdigest().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if scope["path"].removeprefix(scope.get("root_path", "").rstrip("/")) in self.open_paths:
            await self.app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        foreign = self._foreign(scope, headers)
        if foreign:
            await self._refuse(scope, headers, send, 403, foreign)
            return
        given = _take_token(scope)
        if given is not None and hmac.compare_digest(given, self._token):
            if _wants_page(scope, headers):
                await self._redirect(scope, send)
                return
        elif not self._knows(headers):
            wrong = given is not None or b"authorization" in headers
            await self._refuse(scope, headers, send, 401, _WRONG if wrong else _MISSING)
            return
        await self.app(scope, receive, _with_safe_headers(send) if scope["type"] == "http" else send)

    def _foreign(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        """Return why a request comes from a foreign page or through a foreign name, or an empty text."""
        if sum(name == b"host" for name, _ in scope["headers"]) != 1:
            return "expected one Host header"
        host = headers[b"host"].decode("latin-1")
        if not self.hosts.known(host):
            return (
                f"this server does not go by the name {host!r}; use the URL that it printed, or start it with "
                f"--allow-host {_split(f'//{host}')[0] or 'NAME'}"
            )
        origin = headers.get(b"origin")
        if origin is not None and not self.hosts.same_origin(origin.decode("latin-1"), host):
            return f"a page of {origin.decode('latin-1')!r} may not speak with this server; see --allow-host"
        # Pictures and forms of foreign pages come without Origin; links to this server may be followed.
        foreign = headers.get(b"sec-fetch-site") in (b"cross-site", b"same-site")
        if origin is None and foreign and headers.get(b"sec-fetch-mode") != b"navigate":
            return "a page of a foreign site may not speak with this server"
        return ""

    def _knows(self, headers: dict[bytes, bytes]) -> bool:
        """Return whether the headers hold the token, or the cookie."""
        kind, _, value = headers.get(b"authorization", b"").partition(b" ")
        if kind.lower() in (b"bearer", b"token"):
            return hmac.compare_digest(value.strip(), self._token)
        for each in headers.get(b"cookie", b"").split(b";"):
            name, _, value = each.strip().partition(b"=")
            if name == self.name.encode() and hmac.compare_digest(value, self._cookie):
                return True
        return False

    async def _redirect(self, scope: Scope, send: Send) -> None:
        """Hand the cookie to a browser and send it to the URL without the token."""
        # A relative location is right behind every proxy, and leads to no other server.
        raw = (scope.get("raw_path") or scope["path"].encode()).split(b"?")[0]
        query = scope["query_string"]
        location = b"./" + raw.rpartition(b"/")[2] + (b"?" + query if query else b"")
        path = scope.get("root_path", "").rstrip("/") + "/"
        secure = "; Secure" if scope.get("scheme") == "https" else ""
        cookie = f"{self.name}={self._cookie.decode()}; Path={path}; HttpOnly; SameSite=Strict{secure}"
        headers = [(b"location", location), (b"set-cookie", cookie.encode("latin-1")), (b"cache-control", b"no-store")]
        await answer(send, 303, b"", "text/plain", [*headers, *_SAFE_HEADERS])

    async def _refuse(self, scope: Scope, headers: dict[bytes, bytes], send: Send, status: int, detail: str) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _CLOSED, "reason": detail[:120]})
            return
        more: Headers = [*_SAFE_HEADERS, (b"cache-control", b"no-store")]
        if status == 401:
            more = [*more, (b"www-authenticate", b"Bearer")]
        head = scope["method"] == "HEAD"
        if _wants_page(scope, headers):
            page = _PAGE.format(detail=html.escape(detail), form=_FORM if status == 401 else "")
            await answer(send, status, page.encode(), "text/html; charset=utf-8", more, head=head)
        else:
            await answer(send, status, problem(status, detail), headers=more, head=head)


_MISSING = "expected the token of this server, as ?token=TOKEN or in the header Authorization: Bearer TOKEN"
_WRONG = "the token is not that of this server; it printed the right one when it started"
_FORM = (
    '<form><label>Token <input name="token" type="password" autocomplete="off" autofocus required></label> '
    "<button>Enter</button></form>"
)
_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    "<title>shoal</title><style>:root{{color-scheme:light dark}}body{{font:1rem system-ui;max-width:40rem;"
    "margin:4rem auto;padding:0 1rem}}</style><h1>shoal</h1><p>{detail}</p>{form}</html>"
)


def _take_token(scope: Scope) -> bytes | None:
    """Return the token of the URL and take it out of the scope, so that no log and no app sees it."""
    if b"token" not in scope["query_string"]:
        return None
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    tokens = [value for name, value in pairs if name == "token"]
    if not tokens:
        return None
    scope["query_string"] = urlencode([pair for pair in pairs if pair[0] != "token"]).encode("latin-1")
    return tokens[-1].strip().encode("utf-8", "surrogateescape")


def _wants_page(scope: Scope, headers: dict[bytes, bytes]) -> bool:
    """Return whether a browser asks for a page."""
    return (
        scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and b"text/html" in headers.get(b"accept", b"")
    )


def _with_safe_headers(send: Send) -> Send:
    """Return a `send` that adds the headers by which browsers keep a page to itself, where the app has not set them."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            there = {name.lower() for name, _ in message.get("headers", ())}
            message["headers"] = [
                *message.get("headers", ()),
                *(each for each in _SAFE_HEADERS if each[0] not in there),
            ]
        await send(message)

    return sending
