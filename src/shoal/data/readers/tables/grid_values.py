"""What the attributes of a NetCDF or Zarr variable say of its values, by the Climate and Forecast conventions."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from shoal.data.units import split_unit

_SECONDS = {"day": 86400.0, "hour": 3600.0, "minute": 60.0, "second": 1.0, "millisecond": 1e-3, "microsecond": 1e-6}
_SHORT = {"d": "day", "h": "hour", "hr": "hour", "min": "minute", "s": "second", "sec": "second", "ms": "millisecond"}
_SINCE = re.compile(
    r"(?P<unit>[a-zA-Z]+) since (?P<date>\d{4}-\d{1,2}-\d{1,2})"
    r"(?:[T ](?P<clock>\d{1,2}:\d{1,2}(?::\d{1,2}(?:\.\d*)?)?))?\s*(?:Z|UTC|GMT|[+-]?00?:?(?:00)?)?"
)
_GREGORIAN = ("", "standard", "gregorian", "proleptic_gregorian")
_REFORM = 1583  # before, the standard calendar is Julian
_MOST_SECONDS = 2e11  # dates up to the year 8300


def text_of(value: Any) -> str:
    """Return an attribute as text; those that are none give an empty one.

    Example:
        >>> text_of(b"K"), text_of(None)
        ('K', '')
    """
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    return value.strip() if isinstance(value, str) else ""


def unit_of(attributes: Mapping[str, Any]) -> str:
    """Return the unit that `units` tells, or the end of `long_name`; pure numbers have none.

    Example:
        >>> unit_of({"units": "K"}), unit_of({"long_name": "pressure [hPa]"}), unit_of({"units": "1"})
        ('K', 'hPa', '')
    """
    unit = text_of(attributes.get("units", attributes.get("unit")))
    return "" if unit == "1" else unit or split_unit(text_of(attributes.get("long_name")) or "-").unit or ""


def decoded(
    values: np.ndarray, attributes: Mapping[str, Any], fills: Iterable[float] = ()
) -> tuple[np.ndarray, np.ndarray, str | None]:
    """Return values as they are meant, whether each is missing, and `""` for dates, which have no unit, else None.

    Fill values and those out of the valid range are missing, packed numbers are scaled, `days since 2000-01-01` are
    dates where the calendar is Gregorian.

    Args:
        values: as stored, of any shape.
        attributes: of their variable.
        fills: more values that stand for none.

    Example:
        >>> values, missing, _ = decoded(np.array([1, -9]), {"_FillValue": -9, "scale_factor": 0.5})
        >>> values[0], missing.tolist()
        (np.float64(0.5), [False, True])
    """
    if text_of(attributes.get("_Unsigned")).lower() == "true" and values.dtype.kind == "i":
        values = values.view(values.dtype.str.replace("i", "u"))
    if text_of(attributes.get("dtype")) == "bool" and values.dtype.kind in "iu":  # as xarray writes truths
        fill = _numbers(attributes, "_FillValue")
        return values != 0, values == fill[0] if fill else np.zeros(values.shape, bool), None
    if values.dtype.kind not in "iuf":
        return values, _absent(values, attributes), None
    missing = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
    for fill in (*_numbers(attributes, "_FillValue"), *_numbers(attributes, "missing_value"), *fills):
        missing |= values == fill
    low, high = _limits(attributes)
    missing |= (values < low) | (values > high)
    scale, offset = _numbers(attributes, "scale_factor"), _numbers(attributes, "add_offset")
    if scale or offset:
        values = values * float(scale[0] if scale else 1.0) + float(offset[0] if offset else 0.0)
    dates = _dates(values, missing, attributes)
    return (values, missing, None) if dates is None else (dates, missing, "")


def _absent(values: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray:
    """Return which values that are no numbers are missing."""
    if values.dtype.kind == "M":
        return np.isnat(values)
    fill = text_of(attributes.get("_FillValue"))
    if values.dtype.kind not in "OSU":
        return np.zeros(values.shape, bool)
    return np.array([text_of(each) in ("", fill) for each in values.ravel().tolist()], bool).reshape(values.shape)


def _numbers(attributes: Mapping[str, Any], name: str) -> list[Any]:
    values = np.ravel(np.asarray(attributes.get(name, [])))
    return values.tolist() if values.dtype.kind in "iuf" else []


def _limits(attributes: Mapping[str, Any]) -> tuple[float, float]:
    both = _numbers(attributes, "valid_range")
    low, high = both if len(both) == 2 else (None, None)
    lows, highs = _numbers(attributes, "valid_min"), _numbers(attributes, "valid_max")
    low, high = lows[0] if lows else low, highs[0] if highs else high
    return -np.inf if low is None else low, np.inf if high is None else high


def _dates(values: np.ndarray, missing: np.ndarray, attributes: Mapping[str, Any]) -> np.ndarray | None:
    """Return the dates that numbers stand for, or None."""
    match = _SINCE.fullmatch(text_of(attributes.get("units")))
    calendar = text_of(attributes.get("calendar")).lower()
    if match is None or calendar not in _GREGORIAN:
        return None
    unit = match["unit"].lower()
    seconds = _SECONDS.get(_SHORT.get(unit, unit.removesuffix("s") if len(unit) > 1 else unit))
    clock = [float(part) for part in (match["clock"] or "0").split(":")]
    try:
        day = datetime.date(*(int(part) for part in match["date"].split("-")))
    except ValueError:
        return None
    if seconds is None or (day.year < _REFORM and calendar != "proleptic_gregorian"):
        return None
    start = (day - datetime.date(1970, 1, 1)).days * 86400.0 + sum(
        c * s for c, s in zip(clock, (3600, 60, 1), strict=False)
    )
    present = np.where(missing, 0.0, values)
    if not (np.abs(present * seconds + start) < _MOST_SECONDS).all():
        return None
    whole = np.floor(present)  # so that microseconds of whole days stay exact
    counted = np.round(whole * (seconds * 1e6)).astype(np.int64) + np.round((present - whole) * seconds * 1e6).astype(
        np.int64
    )
    return (counted + np.int64(round(start * 1e6))).view("datetime64[us]")
