"""Columns whose names say that they hold the measured errors of others: proposed, and never taken silently."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence

import polars as pl

from shoal.data.conversion import is_integer
from shoal.data.roles import Roles
from shoal.data.units import same_unit, split_unit
from shoal.errors import listing

_WORDS = frozenset(("err", "error", "errors", "sigma", "σ", "unc", "uncertainty"))
_ENDINGS = ("error", "err")
_BEFORE = frozenset("eδ")  # as in VizieR's catalogues, e_Vmag
_MOST_NAMED = 6


def error_pairs(names: Sequence[str]) -> dict[str, str]:
    """Return the columns that by their names hold errors, with what they are errors of.

    Args:
        names: of columns, which may tell units.

    Example:
        >>> error_pairs(["flux", "flux_err", "mag_u", "magerr_u", "Vmag", "e_Vmag", "E [GeV]", "σ_E [GeV]", "u"])
        {'flux_err': 'flux', 'magerr_u': 'mag_u', 'e_Vmag': 'Vmag', 'σ_E [GeV]': 'E [GeV]'}
    """
    called = {tuple(_parts(name)): name for name in names}
    pairs = {}
    for name in names:
        known = [called[stem] for stem in _stems(_parts(name)) if stem in called and called[stem] != name]
        if known:
            pairs[name] = known[0]
    return {error: of for error, of in pairs.items() if of not in pairs}


def error_proposals(table: pl.DataFrame, roles: Roles, units: Mapping[str, str], *, of_target: bool) -> list[str]:
    """Return sentences that propose to take columns without a role as measured errors.

    Args:
        table: the columns, as read.
        roles: of them; errors that have a role are not proposed.
        units: of columns, where they are known; errors in another unit are none.
        of_target: whether errors of targets may be given.

    Example:
        >>> table = pl.DataFrame({"x": [1.0, 2.0], "x_err": [0.1, 0.2], "y": [1.5, 2.5]})
        >>> error_proposals(table, Roles(target=["y"]), {}, of_target=True)
        ["'x_err' may hold the measured errors of 'x'; --x-err x=x_err takes it as such."]
    """
    roled = {name for _, name in roles.pairs()}
    free = [name for name in table.columns if name not in roled and (not roles.features or name in roles.features)]
    possible = [*free, *roles.target]
    pairs = {
        error: of for error, of in error_pairs([name for name in table.columns if name in possible]).items()
        if error in free and _are_errors(table, error, of) and _same_units(units, error, of)
    }  # fmt: skip
    inputs = {error: of for error, of in pairs.items() if of in free}
    outputs = {error: of for error, of in pairs.items() if of in roles.target and not is_integer(table.get_column(of))}
    proposals = []
    if of_target and len(outputs) == len(roles.target) and outputs:
        option = ",".join(next(e for e, of in outputs.items() if of == target) for target in roles.target)
        proposals.append(_sentence(outputs, f"--y-err {shlex.quote(option)}"))
    if inputs:
        shown = dict(list(inputs.items())[:_MOST_NAMED])
        option = ",".join(f"{of}={error}" for error, of in shown.items())
        more = f" (and so on, {len(inputs)} in all)" if len(inputs) > len(shown) else ""
        proposals.append(_sentence(shown, f"--x-err {shlex.quote(option)}{more}"))
    return proposals


def _sentence(pairs: Mapping[str, str], option: str) -> str:
    errors, them = listing(map(repr, pairs)), "them" if len(pairs) > 1 else "it"
    return (
        f"{errors} may hold the measured errors of {listing(map(repr, pairs.values()))}; {option} takes {them} as such."
    )


def _parts(name: str) -> list[str]:
    return [part for part in re.split(r"[\s_.\-]+", split_unit(name).name) if part]


def _stems(parts: list[str]) -> list[tuple[str, ...]]:
    """Return what a name says without its word for errors, for each place where one may stand."""
    stems = []
    for i, part in enumerate(parts):
        word, rest = part.lower(), (*parts[:i], *parts[i + 1 :])
        if word in _WORDS or (i == 0 and word in _BEFORE):
            stems.append(rest)
        stems += [
            (*parts[:i], part[: -len(end)], *parts[i + 1 :]) for end in _ENDINGS if word.endswith(end) and word != end
        ]
    return [stem for stem in stems if stem]


def _are_errors(table: pl.DataFrame, error: str, of: str) -> bool:
    values = table.get_column(error)
    if not values.dtype.is_numeric() or not table.get_column(of).dtype.is_numeric():
        return False
    present = values.drop_nulls()
    return len(present) > 0 and bool((present >= 0).all()) and bool((present > 0).any())


def _same_units(units: Mapping[str, str], error: str, of: str) -> bool:
    return not (units.get(error) and units.get(of)) or same_unit(units[error], units[of])
