"""The server of the workbench: on this machine alone unless asked otherwise, at the next free port, behind a token."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import SettingError
from shoal.serve.address import base_path, here, host_warning, listen, ssh_line, under, url
from shoal.serve.guard import Guard, Hosts, new_token
from shoal.serve.limits import Limiter

PORT = 8765


@dataclass(frozen=True)
class Place:
    """Where the workbench is to listen, and who may come.

    Attributes:
        host: the address; on others than loopback ones other machines can reach it.
        port: None: the next that is free from 8765 on.
        base_url: the path before all paths, for proxies that keep it.
        token: None: a new one, which nobody guesses.
        allowed: further names under which it may be addressed, such as that of a proxy.
    """

    host: str = "127.0.0.1"
    port: int | None = None
    base_url: str = "/"
    token: str | None = None
    allowed: Collection[str] = ()


def run(folder: Path, place: Place, tell: Callable[[str, str], None], *, browser: bool = True) -> None:
    """Serve the workbench on a working folder until Ctrl-C; what trains then trains on.

    Args:
        folder: the working folder.
        place: where to listen.
        tell: is told a kind (note, warning) and a text.
        browser: open it in a browser.

    Raises:
        SettingError: there is no such folder, the port is taken, or NiceGUI is not installed.
    """
    if not folder.is_dir():
        raise SettingError(f"there is no folder {str(folder)!r}; expected the working folder, in which runs/ lies.")
    base = base_path(place.base_url)
    try:
        import uvicorn

        from shoal.workbench.app import build
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] not in ("nicegui", "fastapi", "uvicorn", "starlette"):
            raise
        raise SettingError("the workbench needs NiceGUI: pip install 'shoal[workbench]'.") from None
    bound = listen(place.host, place.port, PORT)
    port, token = bound.getsockname()[1], place.token or new_token()
    app = build(folder)
    # uploads go to a file as they come, and what is taken away may be long in the making
    limited = Limiter(app, streamed=("/api/", "/_nicegui"))
    guarded = Guard(limited, token, Hosts(place.host, place.allowed), name=f"shoal-{port}", open_paths=())
    config = uvicorn.Config(
        under(guarded, base), log_level="error", access_log=False, ws_max_size=1 << 24, timeout_graceful_shutdown=2,
        lifespan="on", server_header=False,
    )  # fmt: skip
    address = url(place.host, port, base, token)
    if (warning := host_warning(place.host)) is not None:
        tell("warning", warning)
    tell("open", address)
    tell("note", f"from another machine: {ssh_line(*here(), port, place.host)}, then open the same address there")
    tell("note", "Ctrl-C ends the workbench; what trains trains on, and is there when it starts again")
    if browser:
        threading.Timer(0.8, webbrowser.open, [address]).start()
    try:
        uvicorn.Server(config).run(sockets=[bound])
    except KeyboardInterrupt:
        pass
    finally:
        bound.close()


def proxied() -> dict[str, object]:
    """Return how jupyter-server-proxy starts the workbench, for its entry point.

    Jupyter has checked who asks, and from which page; it brings the token along and speaks in the name of this machine.
    """
    token = new_token()
    address = "127.0.0.1:{port}"
    return {
        "command": ["shoal", "workbench", "--port", "{port}", "--base-url", "{base_url}shoal/", "--no-browser"],
        "environment": {"SHOAL_TOKEN": token},
        "request_headers_override": {"Authorization": f"Bearer {token}", "Host": address, "Origin": f"http://{address}"},
        "absolute_url": True,
        "timeout": 60,
        "new_browser_tab": True,
        "launcher_entry": {"title": "shoal"},
    }  # fmt: skip
