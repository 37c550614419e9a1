"""Run a command under limits of the system: `bounded.py AS=6000000000,CORE=0 command …`.

A process of its own sets them, since code between fork and exec is not safe beside the threads of JAX.
"""

from __future__ import annotations

import os
import resource
import sys


def run(limits: str, *command: str) -> None:
    """Become the command, with soft limits such as `AS=6000000000`, in bytes."""
    for limit in limits.split(","):
        name, most = limit.split("=")
        which = getattr(resource, f"RLIMIT_{name}")
        resource.setrlimit(which, (int(most), resource.getrlimit(which)[1]))
    os.execv(command[0], command)


if __name__ == "__main__":
    run(*sys.argv[1:])
