"""`report.html` after it was written: the one number in it that later work changes, how often the test rows were used.

It stands in elements `<span class="openings">`, which are rewritten; all else of the page stays as the fit left it.
"""

from __future__ import annotations

import re
from pathlib import Path

from shoal.errors import RunError
from shoal.runs.writing import write_atomically

NAME = "report.html"
_OPENINGS = re.compile(r'(<span class="openings">)[^<]*(</span>)')


def times(openings: int) -> str:
    """Return how often, in words.

    >>> times(1), times(3)
    ('once', '3 times')
    """
    return "once" if openings == 1 else f"{openings} times"


def write_openings(folder: str | Path, openings: int) -> bool:
    """Make the page of a run say how often its test rows were opened; return whether there is a page that says so.

    Raises:
        RunError: the page cannot be read or written.
    """
    path = Path(folder) / NAME
    try:
        page = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {str(path)!r} to count one more use of the test rows in it: {error}") from error
    updated, places = _OPENINGS.subn(rf"\g<1>{times(openings)}\g<2>", page)
    if places and updated != page:
        write_atomically(path, updated)
    return places > 0
