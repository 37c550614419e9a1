"""Packages that only some formats need."""

from __future__ import annotations

import importlib.util

from shoal.errors import DataError, ShoalError


def check_package(package: str, extra: str, what: str, error: type[ShoalError] = DataError) -> None:
    """Raise an error with the line that installs a package if it is missing.

    Args:
        package: as it is imported.
        extra: of shoal, that brings it.
        what: the files that need it, as a sentence begins.
        error: that is raised.
    """
    if importlib.util.find_spec(package) is None:
        raise error(f"{what} files need an extra package. Install it with: pip install 'shoal[{extra}]'")
