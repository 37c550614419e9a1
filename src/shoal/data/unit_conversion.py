"""From one unit to another: the factor, and the offset of temperatures.

Factors are exact by definition where there is one (SI brochure, 9th edition, 2019; IAU 2012 and 2015 for au and parsec;
CODATA 2018 for Da). Logarithmic units (mag, dex, dB) and units of counts have no conversion here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import polars as pl

from shoal.data.units import NUMERIC, PREFIXES, UNPREFIXED, factors_of, same_unit, split_unit
from shoal.errors import DataError

_EV, _C = 1.602176634e-19, 299_792_458.0
_DIMENSIONS = {  # what one of it is in SI units, as a product of powers
    "m": (1.0, {"m": 1}), "g": (1e-3, {"kg": 1}), "s": (1.0, {"s": 1}), "A": (1.0, {"A": 1}), "K": (1.0, {"K": 1}),
    "mol": (1.0, {"mol": 1}), "cd": (1.0, {"cd": 1}), "rad": (1.0, {"rad": 1}), "bit": (1.0, {"bit": 1}),
    "Hz": (1.0, {"s": -1}), "Bq": (1.0, {"s": -1}), "Ci": (3.7e10, {"s": -1}),
    "N": (1.0, {"kg": 1, "m": 1, "s": -2}), "dyn": (1e-5, {"kg": 1, "m": 1, "s": -2}),
    "Pa": (1.0, {"kg": 1, "m": -1, "s": -2}), "bar": (1e5, {"kg": 1, "m": -1, "s": -2}),
    "atm": (101_325.0, {"kg": 1, "m": -1, "s": -2}), "Torr": (101_325 / 760, {"kg": 1, "m": -1, "s": -2}),
    "mmHg": (133.322387415, {"kg": 1, "m": -1, "s": -2}), "psi": (6894.757293168, {"kg": 1, "m": -1, "s": -2}),
    "J": (1.0, {"kg": 1, "m": 2, "s": -2}), "eV": (_EV, {"kg": 1, "m": 2, "s": -2}),
    "erg": (1e-7, {"kg": 1, "m": 2, "s": -2}), "cal": (4.184, {"kg": 1, "m": 2, "s": -2}),
    "Wh": (3600.0, {"kg": 1, "m": 2, "s": -2}), "W": (1.0, {"kg": 1, "m": 2, "s": -3}),
    "C": (1.0, {"A": 1, "s": 1}), "V": (1.0, {"kg": 1, "m": 2, "s": -3, "A": -1}),
    "F": (1.0, {"kg": -1, "m": -2, "s": 4, "A": 2}), "Ω": (1.0, {"kg": 1, "m": 2, "s": -3, "A": -2}),
    "S": (1.0, {"kg": -1, "m": -2, "s": 3, "A": 2}), "Wb": (1.0, {"kg": 1, "m": 2, "s": -2, "A": -1}),
    "T": (1.0, {"kg": 1, "s": -2, "A": -1}), "G": (1e-4, {"kg": 1, "s": -2, "A": -1}),
    "H": (1.0, {"kg": 1, "m": 2, "s": -2, "A": -2}), "Gy": (1.0, {"m": 2, "s": -2}),
    "b": (1e-28, {"m": 2}), "L": (1e-3, {"m": 3}), "u": (1.66053906660e-27, {"kg": 1}), "lb": (0.45359237, {"kg": 1}),
    "t": (1e3, {"kg": 1}), "Å": (1e-10, {"m": 1}), "in": (0.0254, {"m": 1}), "ft": (0.3048, {"m": 1}),
    "mi": (1609.344, {"m": 1}), "AU": (149_597_870_700.0, {"m": 1}), "ly": (9.4607304725808e15, {"m": 1}),
    "pc": (648_000 / math.pi * 149_597_870_700.0, {"m": 1}), "c": (_C, {"m": 1, "s": -1}),
    "Jy": (1e-26, {"kg": 1, "s": -2}),
    "min": (60.0, {"s": 1}), "h": (3600.0, {"s": 1}), "d": (86_400.0, {"s": 1}), "week": (604_800.0, {"s": 1}),
    "yr": (31_557_600.0, {"s": 1}), "kn": (1852 / 3600, {"m": 1, "s": -1}), "mph": (0.44704, {"m": 1, "s": -1}),
    "deg": (math.pi / 180, {"rad": 1}), "arcmin": (math.pi / 10_800, {"rad": 1}),
    "arcsec": (math.pi / 648_000, {"rad": 1}), "sr": (1.0, {"rad": 2}),
    "%": (1e-2, {}), "‰": (1e-3, {}), "ppm": (1e-6, {}), "ppb": (1e-9, {}), "ppt": (1e-12, {}),
}  # fmt: skip
_ALIKE = {
    "l": "L", "Da": "u", "amu": "u", "Angstrom": "Å", "angstrom": "Å", "au": "AU", "sec": "s", "hr": "h", "hour": "h",
    "hours": "h", "day": "d", "days": "d", "weeks": "week", "year": "yr", "years": "yr", "a": "yr", "torr": "Torr",
    "°": "deg", "′": "arcmin", "″": "arcsec", "as": "arcsec", "Ohm": "Ω", "ohm": "Ω", "Gauss": "G", "gauss": "G",
}  # fmt: skip
_POWERS = {"da": 1, "k": 3, "h": 2, "d": -1, "c": -2, "m": -3, "µ": -6, "μ": -6, "u": -6, "n": -9, "p": -12, "f": -15}
_POWERS |= {"M": 6, "G": 9, "T": 12, "P": 15, "E": 18, "Z": 21, "Y": 24, "a": -18, "z": -21, "y": -24}
_TEMPERATURES = {"K": (1.0, 0.0), "°C": (1.0, 273.15), "degC": (1.0, 273.15), "°F": (5 / 9, 459.67 * 5 / 9)}
_TEMPERATURES["degF"] = _TEMPERATURES["°F"]


_OFFER = (
    "if the units are right, have them converted with --convert-units (ReadOptions(convert_units=True)); else mend them"
)


class Conversion(NamedTuple):
    """The value in the new unit is `factor` times the value plus `offset`."""

    factor: float
    offset: float = 0.0

    def __str__(self) -> str:
        shift = f" {'+' if self.offset > 0 else '-'} {abs(self.offset):.6g}" if self.offset else ""
        return f"× {self.factor:.6g}{shift}" if self.factor != 1.0 or not shift else shift.strip()

    def apply(self, series: pl.Series) -> pl.Series:
        """Return numbers in the new unit."""
        return series.cast(pl.Float64) * self.factor + self.offset


def conversion(unit: str, wanted: str) -> Conversion | None:
    """Return how values are converted from one unit to another; None where no conversion is known.

    Example:
        >>> conversion("cm", "mm"), conversion("°C", "K"), conversion("kg", "m") is None
        (Conversion(factor=10.0, offset=0.0), Conversion(factor=1.0, offset=273.15), True)
    """
    if unit in _TEMPERATURES and wanted in _TEMPERATURES:
        (factor, zero), (other, other_zero) = _TEMPERATURES[unit], _TEMPERATURES[wanted]
        return Conversion(factor / other, (zero - other_zero) / other)
    first, second = _in_si(unit), _in_si(wanted)
    if first is None or second is None or first[1] != second[1]:
        return None
    return Conversion(float(f"{first[0] / second[0]:.15g}"))


def in_units(
    table: pl.DataFrame, units: Mapping[str, str], known: Mapping[str, str], *, convert: bool, data: str
) -> tuple[pl.DataFrame, list[str]]:
    """Return a table whose columns are in the units that are known of them, and sentences on what was converted.

    A column that is there with another unit in its name, `length [cm]` for `length [mm]`, is taken for it.

    Args:
        table: the columns.
        units: theirs, where they are known.
        known: units of the columns that are wanted.
        convert: the user's word; without it a column in another unit is refused, since either unit may be a mistake.
        data: what the table is called in messages.

    Raises:
        DataError: names the column, both units, and the factor.
    """
    clauses, columns, unknown = [], {}, False
    for name, unit in known.items():
        given = name if name in table.columns else _with_other_unit(name, table.columns)
        if given is None or given not in units or same_unit(units[given], unit):
            continue
        way = conversion(units[given], unit)
        unknown |= way is None or not table[given].dtype.is_numeric()
        text = "no conversion is known" if way is None else f"{units[given]} {way} = {unit}"
        clauses.append(f"column {given!r} is in {units[given]}, but was in {unit} in the fit ({text})")
        if way is not None and table[given].dtype.is_numeric():
            columns[given] = way.apply(table[given]).alias(name)
    if not clauses:
        return table, []
    if unknown or not convert:
        mend = "mend the unit, or convert the column" if unknown else _OFFER
        raise DataError(f"{data}: {'; '.join(clauses)}: {mend}")
    read = [columns.get(series.name, series) for series in table.get_columns()]
    return pl.DataFrame(read), [f"{clause}; converted" for clause in clauses]


def _with_other_unit(name: str, columns: Sequence[str]) -> str | None:
    """Return the one column that has this name but for the unit in it."""
    plain = split_unit(name).name
    meant = [column for column in columns if (split := split_unit(column)).unit is not None and split.name == plain]
    return meant[0] if len(meant) == 1 and plain != name else None


def _in_si(unit: str) -> tuple[float, Mapping[str, float]] | None:
    scale, dimensions = 1.0, dict[str, float]()
    factors = factors_of(unit)
    for symbol, power in factors.items():
        if NUMERIC.fullmatch(symbol):
            base, _, exponent = symbol.partition("^")
            scale *= (float(base) ** float(exponent or 1)) ** power
            continue
        known = _symbol(symbol)
        if known is None:
            return None
        scale *= known[0] ** power
        for name, count in known[1].items():
            dimensions[name] = dimensions.get(name, 0.0) + count * power
    return (scale, {name: count for name, count in dimensions.items() if count}) if factors else None


def _symbol(symbol: str) -> tuple[float, Mapping[str, int]] | None:
    if (name := _ALIKE.get(symbol, symbol)) in _DIMENSIONS:
        return _DIMENSIONS[name]
    if symbol in UNPREFIXED:
        return None
    for prefix in PREFIXES:
        rest = symbol.removeprefix(prefix)
        if rest != symbol and (name := _ALIKE.get(rest, rest)) in _DIMENSIONS:
            scale, dimensions = _DIMENSIONS[name]
            return float(f"1e{_POWERS[prefix]}") * scale, dimensions
    return None
