"""`report.html` after it was written: what later work changes in it, how often the test rows were used.

It stands in elements `<span class="openings">`, how often by this run, and `<span class="looks">`, how often by all
runs of the folder. These are rewritten; all else of the page stays as the fit left it.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from shoal.errors import RunError
from shoal.runs.writing import write_atomically

NAME = "report.html"


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
    return _rewrite(folder, "openings", times(openings))


def write_looks(folder: str | Path, sentence: str) -> bool:
    """Make the page of a run say how often all runs of its folder looked at its test rows.

    Raises:
        RunError: the page cannot be read or written.
    """
    return _rewrite(folder, "looks", f" {sentence}" if sentence else "")


def _rewrite(folder: str | Path, name: str, text: str) -> bool:
    """Put a text into the elements of a class; return whether there is a page that has them."""
    path = Path(folder) / NAME
    try:
        page = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return False
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"cannot read {str(path)!r} to count one more use of the test rows in it: {error}") from error
    element = re.compile(rf'(<span class="{name}">)[^<]*(</span>)')
    updated, places = element.subn(lambda match: f"{match[1]}{html.escape(text)}{match[2]}", page)
    if places and updated != page:
        write_atomically(path, updated)
    return places > 0
