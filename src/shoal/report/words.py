"""Numbers and names as people read them: significant digits, intervals, labels."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from shoal.errors import counted, plural
from shoal.results import Interval, power_of_ten, readable
from shoal.statistics.metric_choice import greater_is_better as greater_is_better
from shoal.statistics.metric_choice import named_metric

_MISSING = "–"
count = counted  # the page finds all its words here

_LABELS = {
    "most_frequent": "most frequent class",
    "mean": "mean of the training rows",
    "persistence": "last value again",
    "seasonal_naive": "last season again",
    "pca": "principal components",
    "ridge_on_window": "ridge on the window",
    "l1": "L1 strength",
    "l2": "L2 strength",
    "hidden": "hidden units",
    "parameters": "number of parameters",
    "depth": "hidden layers",
    "hamming_loss": "Hamming loss",
    "mean_accuracy": "mean accuracy of the targets",
    **{f"{score}_{mean}": f"{score} ({mean})" for score in ("precision", "recall") for mean in ("macro", "micro")},
    **{"f1": "F1", "f1_macro": "F1 (macro)", "f1_micro": "F1 (micro)"},
    "width": "units in the widest layer",
    "total width": "hidden units in all",
}


def label(name: str, unit: str = "") -> str:
    """Return a name of the program as words, with its unit if it has one.

    >>> label("log_loss"), label("learning_rate"), label("rmse", "GeV")
    ('log-loss', 'learning rate', 'RMSE [GeV]')
    """
    metric = named_metric(name)
    words = _LABELS.get(name, name.replace("_", " ")) if metric is None else metric.label
    return f"{words} [{unit}]" if unit else words


def answers_for(class_weight: Mapping[str, float]) -> str:
    """Return for which shares of the classes probabilities answer that were learned with weights of classes.

    >>> answers_for({"a": 0.5, "b": 5.0})[:75]
    'Classes weighed in training: a 0.5, b 5. The probabilities answer for class'
    """
    weights = ", ".join(f"{name} {readable(weight)}" for name, weight in class_weight.items())
    return (
        f"Classes weighed in training: {weights}. The probabilities answer for classes as frequent as these weights "
        "make them, not as they are in the data; divided by the weights and scaled to sum to one they answer for the "
        "data. Simple methods learned with the same weights. Scores count rows as they are"
    )


def integer(value: float) -> str:
    """Return a whole number with thousands separated.

    >>> integer(12345)
    '12,345'
    """
    return f"{round(value):,}"


def number(value: float | None, digits: int = 3) -> str:
    """Return a number with `digits` significant digits, without losing those of large whole parts.

    >>> number(0.96667), number(-1234.5), number(3.2e-7), number(float("nan"))
    ('0.967', '−1,234', '3.20 × 10⁻⁷', '–')
    """
    if value is None or math.isnan(value):
        return _MISSING
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    exponent = _exponent(value)
    if -4 <= exponent < 6:
        return fixed(value, max(digits - 1 - exponent, 0))
    return f"{fixed(value / 10.0**exponent, digits - 1)} × {power_of_ten(exponent)}"


def short(value: float, digits: int = 4) -> str:
    """Return a number for an axis or a setting: no trailing zeros.

    >>> short(0.001), short(2.5e-6), short(64)
    ('0.001', '2.5×10⁻⁶', '64')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else number(value)
    exponent = _exponent(value)
    if -4 < exponent < 5:
        text = f"{value:.{digits}g}" if abs(value) < 1000 else f"{value:,.0f}"
        return text.replace("-", "−")
    mantissa = f"{value / 10.0**exponent:.3g}".replace("-", "−")
    return power_of_ten(exponent) if mantissa == "1" else f"{mantissa}×{power_of_ten(exponent)}"


def interval(value: Interval) -> str:
    """Return a number with its interval, all three with the same decimals.

    >>> interval(Interval(29 / 30, 0.9, 1.0)), interval(Interval(5321.4, 4810.0, 5890.0))
    ('0.967 [0.900, 1.000]', '5,321 [4,810, 5,890]')
    """
    return f"{interval_value(value)} {interval_range(value)}".rstrip()


def interval_value(value: Interval) -> str:
    """Return the number of an interval, with as many decimals as its range has."""
    return _with_scale(value, (value.value,))


def interval_range(value: Interval) -> str:
    """Return the range of an interval in square brackets; nothing where rows were too few for one."""
    if math.isnan(value.low) and math.isnan(value.high):
        return ""
    return f"[{_with_scale(value, (value.low, value.high))}]"


def _with_scale(value: Interval, shown: tuple[float, ...]) -> str:
    parts = [x for x in (value.value, value.low, value.high) if math.isfinite(x) and x != 0]
    if not parts:
        return ", ".join(number(x) for x in shown)
    exponent = _exponent(max(parts, key=abs))
    if not -4 <= exponent < 6:
        return ", ".join(number(x) for x in shown)
    of_value = _exponent(value.value) if math.isfinite(value.value) and value.value else exponent
    # Shares keep three decimals up to 1.000, so that a column of them lines up.
    decimals = 2 - (min(of_value, -1) if max(parts) <= 1 else of_value)
    width = value.high - value.low
    if math.isfinite(width) and width > 1e-6 * abs(max(parts, key=abs)):  # less is rounding
        # Two or three significant digits of the width: fewer hide it, more pretend.
        decimals = min(max(decimals, 1 - _exponent(width)), 2 - _exponent(width))
    return ", ".join(fixed(x, min(max(decimals, 0), 6)) for x in shown)


def seconds(value: float) -> str:
    """Return a duration.

    >>> seconds(0.42), seconds(12.3), seconds(192)
    ('0.42 s', '12.3 s', '3 min 12 s')
    """
    if value < 10:
        return f"{value:.2f} s"
    if value < 100:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def setting(value: Any, digits: int = 4) -> str:
    """Return the value of a hyperparameter or setting, numbers with so many significant digits at most.

    >>> setting([32, 16]), setting(1e-3), setting(None), setting(True)
    ('32, 16', '0.001', '–', 'yes')
    """
    if value is None:
        return _MISSING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return short(value, digits)
    if isinstance(value, dict):
        return ", ".join(f"{label(str(k))} {setting(v, digits)}" for k, v in value.items()) or _MISSING
    if isinstance(value, (list, tuple)):
        return ", ".join(setting(v, digits) for v in value) or "none"
    return str(value)


def percent(share: float) -> str:
    """Return a share in per cent, with no more digits than it has.

    >>> percent(0.95), percent(0.999), percent(0.012345)
    ('95 %', '99.9 %', '1.234 %')
    """
    return f"{100 * share:.4g} %"


def on_average(amount: float, singular: str, plural: str) -> str:
    """Return a mean amount with its noun in the right number.

    >>> on_average(1.0004, "class", "classes"), on_average(1.25, "class", "classes")
    ('1 class on average', '1.25 classes on average')
    """
    text = short(amount, 3)
    return f"{text} {singular if text == '1' else plural} on average"


def sentence(text: str) -> str:
    """Return a text with a capital at its start and a full stop at its end.

    >>> sentence("the loss fell")
    'The loss fell.'
    """
    text = text.strip()
    if not text:
        return ""
    return capital(text) + ("" if text[-1] in ".!?:…" else ".")


_ROWS = re.compile(r"\b(([Tt]est|[Tt]raining|[Vv]alidation|[Tt]hese|[Ss]ame|[Oo]ther|[Aa]ll|[Nn]eighbouring) )rows\b")


def with_unit(text: str, unit: str) -> str:
    """Return a sentence on rows as one on what they are: images, series or windows.

    >>> with_unit("The same test rows", "image"), with_unit("12 validation rows", "series")
    ('The same test images', '12 validation series')
    """
    return text if unit == "row" else _ROWS.sub(rf"\1{plural(unit)}", text)


def capital(text: str) -> str:
    """Return a text with a capital at its start and the rest as it is.

    >>> capital("rise of the RMSE")
    'Rise of the RMSE'
    """
    return text[:1].upper() + text[1:]


def joined(parts: Iterable[str]) -> str:
    """Return words as an enumeration.

    >>> joined(["a", "b", "c"])
    'a, b and c'
    """
    words = list(parts)
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _exponent(value: float) -> int:
    # Read off the rounded form, so that 9.999 counts as 10.0.
    return int(f"{abs(value):.2e}".split("e")[1])


def fixed(value: float, decimals: int) -> str:
    """Return a number with so many decimals, zero without a sign.

    >>> fixed(-1234.56, 1), fixed(-0.0004, 2)
    ('−1,234.6', '0.00')
    """
    if not math.isfinite(value):
        return number(value)
    text = f"{value:,.{decimals}f}"
    return text.replace("-", "−") if text.strip("-0.,") else text.lstrip("-")
