"""The command line: each command converts what was typed, calls, and prints; it holds no logic of its own."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Args:
        arguments: the words after `shoal`; by default those of the process.

    Example:
        >>> main(["--version"])
        shoal ...
        0
    """
    from shoal.cli.guard import INTERRUPTED

    try:
        from shoal.cli.app import app

        app(args=None if arguments is None else list(arguments), prog_name="shoal")
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0
