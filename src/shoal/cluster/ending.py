"""Processes that end when their driver is gone, however it ended."""

from __future__ import annotations

import os
import threading
import time

from shoal.runs.writing import lives

LOOK_SECONDS = 1.0


def end_with(driver: int) -> None:
    """Let this process end soon after the driver's, of this machine, has."""

    def watch() -> None:
        while lives(driver):
            time.sleep(LOOK_SECONDS)
        os._exit(1)  # whatever it is doing

    threading.Thread(target=watch, name="driver", daemon=True).start()
