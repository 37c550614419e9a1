"""Units of columns: as their names tell them, whether two are the same, and what a derived number has.

They are labels; `shoal.data.unit_conversion` converts. Names of columns stay as they are in the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shoal.errors import DataError, listing


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Symbols that take SI prefixes, and those that do not.
_PREFIXED = _words(
    "m g s A K mol cd Hz N Pa J W C V F Ω Ohm ohm S Wb T H lm lx Bq Gy Sv rad sr eV b Da bar l L pc Jy cal as yr a Ci "
    "Wh G erg t bit B"
)
UNPREFIXED = _words(
    "min h hr hour hours d day days week weeks yr year years sec u amu atm Torr torr mmHg psi ha deg ° ′ ″ arcsec "
    "arcmin mag dex AU au ly rpm dB dBm ppm ppb ppt % ‰ count counts ct cts ADU adu DN e e- electrons photons events "
    "px pix pixel pixels °C degC °F degF Å Angstrom angstrom dyn Gauss gauss M☉ M_sun Msun Lsun Rsun R M c ħ in ft mi "
    "lb mph kn cp sccm"
)
PREFIXES = ("da", *"YZEPTGMkhdcmµμunpfazy")
_COMMON = frozenset("TGMkcdmµμunpf")  # those that symbols of one letter take
_WHOLE = frozenset(("a.u.", "arb. units", "arb. unit", "arb.u.", "arb. u.", "arb"))
# Each may be a unit, but alone in parentheses or below a stroke it is more often something else.
_DOUBTFUL = _words("a b c d e u t B D R M G in as ha am pm pH MS TV PS S kn cp arb ct e-")
_RATIOS = frozenset(("S/N", "N/S"))
_STATISTICS = _words("max mean std avg median sum total")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_FACTOR = re.compile(r"(?P<symbol>e-|[^\d^+-]+)(\^?(?P<power>[+-]?\d+(\.\d+)?))?")
NUMERIC = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?(\^[+-]?\d+)?")
_BRACKETS = re.compile(r"(?P<name>.*\S)(?P<space>\s*)\[(?P<unit>[^\[\]]*)\]")
_PARENTHESES = re.compile(r"(?P<name>.*?\S)\s*\((?P<unit>[^()]*(\([^()]*\)[^()]*)*)\)")
_STROKE = re.compile(r"(?P<name>.*\S) / (?P<unit>\S.*)")
_LONGEST, _LONGEST_NAME = 24, 200
_MOSTLY = 0.9  # of the values below a unit, how many are numbers
NO_UNITS: Mapping[str, str] = {}


class Quantity(NamedTuple):
    """The name of a column without its unit, and the unit; None where the name tells none, "" for a pure number."""

    name: str
    unit: str | None


def split_unit(name: str) -> Quantity:
    """Return what a name says: `E [GeV]`, `E (GeV)` or, after IUPAC, `p / Pa`; the unit stands at the end.

    In square brackets stands any word after a space, or a known unit; in parentheses and below a stroke known units
    only, and no single letters that are more often something else. `E_GeV` tells no unit.

    Example:
        >>> split_unit("E [GeV]"), split_unit("sepal length (cm)"), split_unit("p / Pa")
        (Quantity(name='E', unit='GeV'), Quantity(name='sepal length', unit='cm'), Quantity(name='p', unit='Pa'))
        >>> split_unit("score (old)"), split_unit("x[1]"), split_unit("S / B")
        (Quantity(name='score (old)', unit=None), Quantity(name='x[1]', unit=None), Quantity(name='S / B', unit=None))
    """
    text = name.strip()
    if len(text) > _LONGEST_NAME:
        return Quantity(name, None)
    if match := _BRACKETS.fullmatch(text):
        unit = match["unit"].strip()
        if unit == "-" and match["space"]:
            return Quantity(match["name"], "")
        if is_unit(unit) or (match["space"] and _looks_like_unit(unit)):
            return Quantity(match["name"], unit)
    for pattern in (_PARENTHESES, _STROKE):
        match = pattern.fullmatch(text)
        if match and not match["name"].endswith("/") and _surely(unit := match["unit"].strip()):
            return Quantity(match["name"], unit[1:-1] if unit[0] + unit[-1] == "()" else unit)
    return Quantity(name, None)


def units_of_names(names: Iterable[str]) -> dict[str, str]:
    """Return the unit of each name that tells one.

    Looked at together, some do not: `E / m` is a ratio where there is a column `m`, and `T (min)` no minutes beside
    `T (max)`.

    Example:
        >>> units_of_names(["E [GeV]", "T (min)", "T (max)", "E / m", "m"])
        {'E [GeV]': 'GeV'}
    """
    names = list(names)
    split = {name: split_unit(name) for name in names}
    taken = {quantity.name for quantity in split.values()} | set(names)
    ends = {match["unit"].strip() for name in names if (match := _PARENTHESES.fullmatch(name.strip()))}
    units = {}
    for name, (_, unit) in split.items():
        ratio = unit in taken and _STROKE.fullmatch(name.strip())
        extreme = unit == "min" and ends & _STATISTICS
        if unit and not ratio and not extreme:
            units[name] = unit
    return units


def is_unit(text: str) -> bool:
    """Return whether a text is made of known symbols of units: `m/s`, `kg m⁻³`, `10^3 W`, `GeV/c^2`, `%`.

    Example:
        >>> [is_unit(text) for text in ("mm", "erg cm-2 s-1", "1/s", "max", "3", "GeV")]
        [True, True, True, False, False, True]
    """
    return text in _WHOLE or any(not NUMERIC.fullmatch(symbol) for symbol in factors_of(text))


def same_unit(first: str, second: str) -> bool:
    """Return whether two texts mean the same unit; of words that are no known units, whether they are equal.

    Example:
        >>> same_unit("m/s", "m s^-1"), same_unit("GeV", "MeV"), same_unit("kg m⁻³", "kg/m3")
        (True, False, True)
    """
    return first == second or (is_unit(first) and factors_of(first) == factors_of(second))


def squared(unit: str) -> str:
    """Return the square of a unit.

    Example:
        >>> squared("GeV"), squared("m/s"), squared("")
        ('GeV²', '(m/s)²', '')
    """
    if not unit:
        return ""
    return f"{unit}²" if re.fullmatch(r"[^\W\d_]+|%", unit) else f"({unit})²"


def labelled(name: str, unit: str | None) -> str:
    """Return a name with its unit as axes and tables have it, `E [GeV]`, however the column is called.

    Example:
        >>> labelled("E", "GeV"), labelled("sepal length (cm)", "cm"), labelled("level [m] +1", "m")
        ('E [GeV]', 'sepal length [cm]', 'level [m] +1')
    """
    quantity = split_unit(name)
    plain = name if quantity.unit is None else quantity.name
    return plain if not unit or f"[{unit}]" in plain else f"{plain} [{unit}]"


def full_name(name: str, columns: Iterable[str]) -> str:
    """Return the column that a name means, which may leave the unit out: `E` for `E [GeV]`.

    A name that is no column and means none is returned as it is.

    Raises:
        DataError: it may be one of several.

    Example:
        >>> full_name("E", ["E [GeV]", "p / Pa"]), full_name("p", ["p"]), full_name("q", ["p"])
        ('E [GeV]', 'p', 'q')
    """
    columns = list(columns)
    if name in columns:
        return name
    meant = [column for column in columns if (split := split_unit(column)).unit is not None and split.name == name]
    if len(meant) > 1:
        raise DataError(f"{name!r} may be any of {listing(map(repr, meant))}; give the whole name")
    return meant[0] if meant else name


def check_errors(errors: Mapping[str, str], units: Mapping[str, str]) -> None:
    """Check that measured errors are in the unit of what they are errors of; where both are known.

    Args:
        errors: the column of the errors of each column.
        units: of columns.

    Raises:
        DataError: names both columns with their units.
    """
    for name, column in errors.items():
        unit, error_unit = units.get(name), units.get(column)
        if unit and error_unit and not same_unit(unit, error_unit):
            raise DataError(
                f"the errors in {column!r} are in {error_unit}, but {name!r} is in {unit}; convert one of them"
            )


def unit_row(fields: Sequence[str], below: Sequence[Sequence[bool]]) -> list[str] | None:
    """Return the units in the row below a header, "" where there is none; None if it is a row of data.

    Args:
        fields: the row.
        below: of the rows that follow, whether each field is a number.

    Example:
        >>> unit_row(["GeV", "[deg]", "-", ""], [[True, True, True, False]])
        ['GeV', 'deg', '', '']
        >>> unit_row(["GeV", "red"], [[True, False]]) is None
        True
    """
    units = [_unit_cell(field) for field in fields]
    if not below or None in units or not any(units):
        return None
    share = [[row[i] for row in below if i < len(row)] for i in range(len(fields))]
    numbers = [sum(column) >= _MOSTLY * len(column) for column in share]  # a mistake is told later, with its line
    texts = [unit or "" for unit in units]
    return texts if all(number for unit, number in zip(texts, numbers, strict=True) if unit) else None


def _unit_cell(field: str) -> str | None:
    """Return the unit in a cell, "" if it is empty, None if it holds something else."""
    text = field.strip()
    bare = text[1:-1].strip() if text[:1] + text[-1:] in ("[]", "()") else text
    if bare in ("", "-", "--") or (bare == "1" and bare != text):
        return ""
    return bare if is_unit(bare) or (bare != text and _looks_like_unit(bare)) else None


def _looks_like_unit(text: str) -> bool:
    return len(text) <= _LONGEST and any(c.isalpha() or c in "%‰°" for c in text)


def _surely(text: str) -> bool:
    """Return whether a text is a unit also where any word may stand."""
    symbols = {symbol for symbol in factors_of(text) if not NUMERIC.fullmatch(symbol)}
    return text in _WHOLE or (text not in _RATIOS and not symbols <= _DOUBTFUL)


def factors_of(text: str) -> dict[str, float]:
    """Return symbol → power of a product of units and numbers (`10^3`); nothing if some part is neither."""
    text = text.strip()
    if not text or len(text) > 2 * _LONGEST:
        return {}
    if text in UNPREFIXED:
        return {text: 1.0}
    text = re.sub(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m[0].translate(_RAISED), text).replace("**", "^")
    return _product(re.sub(r"√|sqrt\b", "", text).replace("−", "-"))


def _product(text: str) -> dict[str, float]:
    powers: dict[str, float] = {}
    sign, within = 1.0, 0
    for part in re.findall(r"[()/]|[^()/\s*·⋅×]+", text):
        if part == "/":
            sign = -1.0  # as people mean it: all that follows is below
        elif part in "()":
            within += 1 if part == "(" else -1
        elif NUMERIC.fullmatch(part) and part != "1":
            powers[part] = powers.get(part, 0.0) + sign
        elif part != "1":
            match = _FACTOR.fullmatch(part)
            if match is None or not _is_symbol(match["symbol"]):
                return {}
            symbol = match["symbol"].replace("μ", "µ")
            powers[symbol] = powers.get(symbol, 0.0) + sign * float(match["power"] or 1)
    return powers if within == 0 else {}


def _is_symbol(symbol: str) -> bool:
    if symbol in UNPREFIXED or symbol in _PREFIXED:
        return True
    for prefix in PREFIXES:
        rest = symbol.removeprefix(prefix)
        if rest != symbol and rest in _PREFIXED and (len(rest) > 1 or prefix in _COMMON):
            return True
    return False
