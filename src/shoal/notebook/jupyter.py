"""Whether this is a notebook, found without loading anything of Jupyter's."""

from __future__ import annotations

import importlib.util
import sys


def in_jupyter() -> bool:
    """Return whether the code runs in a kernel, as in Jupyter, VS Code and Colab; plain IPython is none.

    Example:
        >>> in_jupyter()
        False
    """
    ipython = sys.modules.get("IPython")
    shell = getattr(ipython, "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None


def widgets_installed() -> bool:
    """Return whether the package is there that shows widgets of one's own."""
    return importlib.util.find_spec("anywidget") is not None
