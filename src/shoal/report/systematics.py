"""Systematic variations as people read them: tables, sentences, and figures with their numbers."""

from __future__ import annotations

import math
from pathlib import Path

from shoal.evaluation.systematics.shifts import NOISE, Systematics, VariationEffect
from shoal.evaluation.systematics.variations import Side
from shoal.report.words import count, fixed, integer, label, number

NAME, FORMAT = "systematics.json", 1


def totals_rows(systematics: Systematics) -> list[tuple[str, str, str, str]]:
    """Return each number with its value, its statistical error and its systematic uncertainty."""
    rows = []
    for name in systematics.scalars:
        at = systematics.at(name)
        up, down = (number(part[at], 2) for part in (systematics.up, systematics.down))
        value, _, error = with_error(systematics.nominal[at], systematics.error[at]).partition(" ")
        rows.append((label(name), value, error, "0" if up == down == "0" else f"+{up} −{down}"))
    return rows


def shifts_rows(systematics: Systematics, quantity: str | None = None) -> list[tuple[str, str, str, str, str]]:
    """Return what each variation does to one number, the largest first: name, what is done, up, down, remarks."""
    name = quantity or systematics.main
    at = systematics.at(name)
    return [
        (effect.name, effect.text, _shift(effect, "up", at), _shift(effect, "down", at), remarks(effect, at))
        for effect in systematics.sorted(name)
    ]


def remarks(effect: VariationEffect, at: int) -> str:
    """Return what is to be known of a shift: that it is noise, mirrored, or the same way on both sides."""
    up, down = effect.sides["up"], effect.sides["down"]
    if not effect.changed:
        return "changes nothing"
    notes = []
    if up.shift[at] == 0 == down.shift[at]:
        notes.append("no shift")
    elif effect.noise[at]:
        notes.append("compatible with no shift")
    if effect.mirrored:
        notes.append(f"{effect.mirrored} mirrored")
    if effect.same_sign[at]:
        notes.append("same way on both sides")
    if not effect.same_rows:
        notes.append("other rows")
    return ", ".join(notes)


def systematics_lines(systematics: Systematics) -> tuple[str, ...]:
    """Return on which rows it was done, at which cut, and how shifts were put together."""
    lines = [f"{count(len(systematics.effects), 'variation')} of {integer(systematics.rows)} {systematics.what}"]
    if systematics.cut is not None:
        lines.append(f"cut: a score of {number(systematics.cut, 4)} or more")
    if systematics.yields_text:
        lines.append(f"expected before the cut: {systematics.yields_text}")
    lines.append(
        "errors of shifts are statistical, from the same resampled rows before and after; a shift within "
        f"{NOISE:g} errors is compatible with none. Totals add shifts in quadrature, upward and downward each for "
        f"itself{', without those compatible with none' if systematics.pruned else ''}"
    )
    at = systematics.at(systematics.main)
    if any(effect.same_sign[at] for effect in systematics.effects):
        lines.append("where both sides move it the same way, the larger counts on that side and nothing on the other")
    return tuple(lines)


def write_systematics(systematics: Systematics, folder: str | Path, classes: tuple[str, ...] = ()) -> list[Path]:
    """Write the figures as SVG, PDF and CSV, all shifts as `shifts.csv` and `bins.csv`, and `systematics.json`.

    Args:
        systematics: what the variations do.
        folder: where to; it is made if it is missing.
        classes: of the run, in their order; names of the bins where several classes are predicted.

    Raises:
        RunError: a file cannot be written.
    """
    from shoal.report.figures import publish_numbers, systematic_band, tornado
    from shoal.runs.documents import json_text
    from shoal.runs.writing import write_atomically

    folder = Path(folder)
    written = [folder / NAME, folder / "shifts.csv", folder / "bins.csv"]
    write_atomically(folder / NAME, json_text({"format": FORMAT, **systematics.as_dict()}))
    write_atomically(folder / "shifts.csv", systematics.frame.write_csv())
    write_atomically(folder / "bins.csv", systematics.bins.write_csv())
    figures = {"tornado": tornado.of(systematics), **systematic_band.of(systematics, classes)}
    return [*written, *publish_numbers(figures, folder)]


def _shift(effect: VariationEffect, side: Side, at: int) -> str:
    shift = effect.sides[side]
    value, error = float(shift.shift[at]), float(shift.error[at])
    return "0" if value == 0 == error else f"{'+' if value > 0 else ''}{with_error(value, error)}"


def with_error(value: float, error: float) -> str:
    """Return a value with its error, as precise as the error is known.

    >>> with_error(17.0966, 1.7437), with_error(-0.0271, 0.0113), with_error(1.0, 0.0)
    ('17.1 ± 1.7', '−0.027 ± 0.011', '1.00 ± 0')
    """
    if not (math.isfinite(error) and error > 0 and abs(value) < 1e6 and error > 1e-5):
        return f"{number(value)} ± {number(error, 2)}"
    decimals = max(0, 1 - int(f"{error:.1e}".split("e")[1]))
    return f"{fixed(value, decimals)} ± {fixed(error, decimals)}"
