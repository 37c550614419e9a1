"""The server of the workbench: on this machine alone, at the next free port, behind a token."""

from __future__ import annotations

import os
import socket

from shoal.errors import SettingError

PORT = 8765
_TRIES = 50


def listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens on a port, or where none is asked for on the next that is free.

    Raises:
        SettingError: the port is taken, or the host is not of this machine.
    """
    last: OSError | None = None
    for number in range(PORT, PORT + _TRIES) if port is None else (port,):
        try:
            family = socket.getaddrinfo(host, number, type=socket.SOCK_STREAM)[0][0]
            listening = socket.socket(family, socket.SOCK_STREAM)
            if os.name != "nt":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, number))
        except (OSError, OverflowError) as error:
            last = error if isinstance(error, OSError) else OSError(str(error))
            continue
        return listening
    where = f"port {port}" if port is not None else f"any port from {PORT} to {PORT + _TRIES - 1}"
    raise SettingError(
        f"cannot listen on {host}, {where}: {getattr(last, 'strerror', None) or last}; try another --port."
    )
