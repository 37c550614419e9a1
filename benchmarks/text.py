"""Numbers and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

NONE = "–"


def seconds(value: float | None) -> str:
    """Return seconds in the unit that reads best."""
    if value is None:
        return NONE
    if value < 1e-3:
        return f"{1e6 * value:.3g} µs"
    if value < 1.0:
        return f"{1e3 * value:.3g} ms"
    if value < 600.0:
        return f"{value:.3g} s"
    return f"{value / 60.0:.0f} min" if value < 36_000.0 else f"{value / 3600.0:.0f} h"


def times(value: float | None) -> str:
    """Return a ratio."""
    if value is None:
        return NONE
    return f"{value:,.0f} ×" if value >= 100.0 else f"{value:.2g} ×"


def percent(value: float | None) -> str:
    """Return a share."""
    return NONE if value is None else f"{value:.2g}" if value > 10 else f"{100.0 * value:.2g} %"


def whole(value: float | None) -> str:
    """Return a whole number."""
    return NONE if value is None else f"{value:.0f}"


def count(value: float | None) -> str:
    """Return a large number, rounded to three digits."""
    return NONE if value is None else f"{float(f'{value:.3g}'):,.0f}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; all columns but the first are aligned right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
