"""Under which names runs are served."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from shoal.errors import SettingError


def named_runs(given: Iterable[str]) -> dict[str, str]:
    """Return the folder of each run by its name: that of the folder, or the one before `=`.

    Example:
        >>> named_runs(["runs/iris-1", "best=runs/iris-7"])
        {'iris-1': 'runs/iris-1', 'best': 'runs/iris-7'}

    Raises:
        SettingError: two runs have one name, or a name cannot stand in a path.
    """
    named: dict[str, str] = {}
    for text in given:
        before, equals, after = text.partition("=")
        is_named = equals and "/" not in before and not Path(text).exists()
        # the name of a link is its own, not that of the run to which it leads
        name, folder = (before, after) if is_named else (Path(text).absolute().name, text)
        if not folder or not name or name in (".", ".."):
            raise SettingError(f"{text!r}: expected the folder of a run, or NAME=FOLDER")
        if name in named:
            raise SettingError(f"two runs are called {name!r}; name one of them, as other={folder}")
        named[name] = folder
    return named
