"""Words for outcomes that every room shares."""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shoal.codec import stored

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Task(enum.StrEnum):
    """What is learnt: one of several classes, one or several numbers, or the inputs themselves."""

    CLASSIFICATION = "classification"
    REGRESSION = "regression"
    RECONSTRUCTION = "reconstruction"


class Status(enum.IntEnum):
    """How a member stands; the number is what compiled programs carry."""

    RUNNING = 0
    FINISHED = 1
    STOPPED_EARLY = 2
    DIVERGED = 3
    CUT = 4  # by the search, since others did better; engines never set it

    @property
    def code(self) -> str:
        """The status as it is stored, e.g. `stopped_early`."""
        return self.name.lower()


@stored("interval")
@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval and the way the interval was made."""

    value: float
    low: float
    high: float
    method: str = "bootstrap"

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> Interval:
        """Return the interval that a file holds, where numbers that are not finite are None."""
        value, low, high = (math.nan if plain[key] is None else float(plain[key]) for key in ("value", "low", "high"))
        return cls(value, low, high, str(plain.get("method", "bootstrap")))

    def as_dict(self) -> dict[str, Any]:
        """Return the interval as plain data for JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{readable(self.value)} [{readable(self.low)}, {readable(self.high)}]"


def readable(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, without a power of ten where it can be read without.

    Example:
        >>> readable(-244.3, 2), readable(0.05678), readable(1.5e9)
        ('−240', '0.0568', '1.5 × 10⁹')
    """
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else f"{value:g}".replace("inf", "∞").replace("nan", "–").replace("-", "−")
    if not 1e-4 <= abs(value) < 1e6:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{_trimmed(mantissa)} × {power_of_ten(int(exponent))}"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    return _trimmed(f"{round(value, places):.{max(places, 0)}f}")


_ALONE = {
    "are": "is", "do": "does", "have": "has", "were still": "was still", "beat": "beats", "miss": "misses",
    "look": "looks", "give": "gives", "go": "goes", "know their": "knows its",
}  # fmt: skip
_NETWORKS = re.compile(rf"\b([Tt]he network)s(?: ({'|'.join(_ALONE)})\b|(?= (?:in training|that|of|kept|and)\b)|('?))")


def in_number(text: str, networks: int) -> str:
    """Return a sentence on the networks that are kept as one on a single network, where only one is.

    Example:
        >>> in_number("The networks beat them: 0.1 for the networks.", 1)
        'The network beats them: 0.1 for the network.'
        >>> in_number("the networks in training; the networks' loss", 1)
        "the networks in training; the network's loss"
    """
    if networks > 1:
        return text

    def singular(match: re.Match[str]) -> str:
        network, verb, mark = match.groups()
        if verb is None and mark is None:
            return match[0]  # these are all that were trained
        return network + (f" {_ALONE[verb]}" if verb else "'s" if mark else "")

    return _NETWORKS.sub(singular, text)


def power_of_ten(exponent: int) -> str:
    """Return `10` with its exponent in raised digits.

    >>> power_of_ten(-3)
    '10⁻³'
    """
    return "10" + str(exponent).translate(_SUPERSCRIPT)


def _trimmed(text: str) -> str:
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", "−")
