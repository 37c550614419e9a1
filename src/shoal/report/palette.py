"""The colours and fonts of the page, for others that look like it."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.resources import files


@lru_cache(maxsize=1)
def palette() -> tuple[str, str]:
    """Return the declarations of colours and fonts, in light and what differs in dark.

    Example:
        >>> light, dark = palette()
        >>> "--paper: #ffffff" in light, "--paper: #15181c" in dark
        (True, True)
    """
    style = (files("shoal.report") / "templates" / "style.css").read_text(encoding="utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    return _declarations(light), _declarations(dark)


def _declarations(block: str) -> str:
    return re.sub(r"color-scheme:[^;]*;", "", block).strip()
