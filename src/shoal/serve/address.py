"""Where a server listens, and how people get there: ports, URLs, the line for ssh, the path before all its paths."""

from __future__ import annotations

import errno
import getpass
import re
import socket
from urllib.parse import quote

from shoal.errors import SettingError
from shoal.serve.guard import is_loopback
from shoal.serve.problems import App, Receive, Scope, Send, answer, problem

_TRIES = 50  # as Jupyter tries
_TAKEN, _DENIED = errno.EADDRINUSE, errno.EACCES


def listen(host: str, port: int | None = None, first: int = 8888) -> socket.socket:
    """Return a socket that listens.

    Args:
        host: an address, or a name of one.
        port: which port, or 0 for any that is free; default the next free one from `first`.
        first: where to begin.

    Raises:
        SettingError: the host is none of this machine, or the port is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for each in range(first, first + _TRIES) if port is None else [port]:
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((host.strip("[]"), each))
            bound.listen(2048)
        except (OSError, OverflowError) as error:
            bound.close()
            if isinstance(error, OSError) and error.errno in (_TAKEN, _DENIED) and port is None:
                continue
            raise SettingError(f"cannot listen on {host} port {each}: {_why(error)}") from None
        bound.set_inheritable(True)
        return bound
    raise SettingError(f"no port from {first} to {first + _TRIES - 1} of {host} is free; name one with --port")


def _why(error: Exception) -> str:
    if isinstance(error, OverflowError):
        return "expected a port from 0 to 65535"
    if isinstance(error, socket.gaierror):
        return "there is no such address; expected one of this machine, such as 127.0.0.1 or 0.0.0.0"
    number = error.errno if isinstance(error, OSError) else None
    if number == _TAKEN:
        return "another program has it; name another with --port, or let shoal look for one"
    if number == _DENIED:
        return "only root may; name a port from 1024 up with --port"
    return f"{getattr(error, 'strerror', None) or error}; expected an address of this machine, such as 127.0.0.1"


def host_warning(host: str) -> str | None:
    """Return what to say of an address that others can reach, or None.

    >>> host_warning("127.0.0.1")
    """
    if is_loopback(host):
        return None
    return (
        f"--host {host}: other machines can reach this server, and read what is sent, also the token, since it speaks "
        f"plain HTTP; on 127.0.0.1 behind ssh or a proxy with TLS they cannot"
    )


def base_path(text: str) -> str:
    """Return a base URL as a path that begins and does not end with a slash; empty for the root.

    >>> base_path("user/ada/proxy/"), base_path("/")
    ('/user/ada/proxy', '')

    Raises:
        SettingError: it is no path.
    """
    path = "/" + text.strip("/") if text.strip("/") else ""
    if not re.fullmatch(r"(/[A-Za-z0-9._~@:+-]+)*", path) or {".", ".."} & set(path.split("/")):
        raise SettingError(f"--base-url {text!r}: expected a path, such as /shoal/ or /user/ada/proxy/8888/")
    return path


def url(host: str, port: int, base: str = "", token: str = "") -> str:
    """Return the URL of a server, with its token if one is given.

    >>> url("0.0.0.0", 8888, "/lab", "abc"), url("::1", 80)
    ('http://127.0.0.1:8888/lab/?token=abc', 'http://[::1]:80/')
    """
    name = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host.strip("[]"), host.strip("[]"))
    name = f"[{name}]" if ":" in name else name
    return f"http://{name}:{port}{base}/" + (f"?token={quote(token)}" if token else "")


def ssh_line(user: str, machine: str, port: int, host: str = "127.0.0.1") -> str:
    """Return what to type on another machine to reach a server that listens on this one.

    >>> ssh_line("ada", "lab7", 8888)
    'ssh -N -L 8888:127.0.0.1:8888 ada@lab7'
    """
    target = host.strip("[]") if is_loopback(host) else "127.0.0.1"
    target = f"[{target}]" if ":" in target else target
    return f"ssh -N -L {port}:{target}:{port} {user}@{machine}"


def here() -> tuple[str, str]:
    """Return the user and this machine as ssh may know them."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = "USER"
    return user, socket.gethostname()


def under(app: App, base: str) -> App:
    """Return an ASGI app that answers below a base path, as `base_path` gives it.

    A path without the base is refused; that of the base alone, without the slash, leads to the one with it.
    """
    if not base:
        return app

    async def based(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await app(scope, receive, send)
        elif scope["path"].startswith(f"{base}/"):
            scope["root_path"] = base  # in place: the log of the server reads this scope, from which the token goes
            await app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        elif scope["path"] == base:
            query = b"?" + scope["query_string"] if scope["query_string"] else b""
            location = base.rpartition("/")[2].encode() + b"/" + query
            await answer(send, 307, b"", "text/plain", [(b"location", location)])
        else:
            await answer(send, 404, problem(404, f"there is nothing here; this server answers below {base}/"))

    return based
