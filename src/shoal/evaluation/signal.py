"""Which of two classes is the signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shoal.data.labels import Label, label_name
from shoal.errors import SettingError, listing, suggest

SIGNAL_WORDS = ("signal", "sig", "s", "1", "true", "yes", "positive", "pos")


def has_signal(classes: tuple[str, ...], settings: Mapping[str, Any]) -> bool:
    """Return whether one of two classes is meant as a signal: a fit is told so, or one is called so.

    Example:
        >>> has_signal(("background", "signal"), {}), has_signal(("no", "yes"), {})
        (True, False)
    """
    told = any(settings.get(name) is not None for name in ("signal", "signal_yield", "process"))
    return len(classes) == 2 and (told or any(name.strip().lower() in SIGNAL_WORDS[:3] for name in classes))


def signal_class(classes: tuple[str, ...], named: Label | None = None) -> int:
    """Return which of two classes is the signal: the one that is named, or whose name says so, else the second.

    Raises:
        SettingError: there is no class of that name.

    Example:
        >>> signal_class(("background", "signal")), signal_class(("s", "b")), signal_class(("a", "c"))
        (1, 0, 1)
    """
    named = label_name(named)
    if named is not None:
        if named not in classes:
            raise SettingError(f"signal must be one of {listing(classes)}, got {named!r}.{suggest(named, classes)}")
        return classes.index(named)
    spoken = [i for i, name in enumerate(classes) if name.strip().lower() in SIGNAL_WORDS]
    return spoken[0] if len(spoken) == 1 else 1
