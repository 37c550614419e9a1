"""A function of the user's: how many arguments it takes, and its own line where it fails."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from typing import Any

from shoal.errors import SettingError, ShoalError

_MENDING = {
    "TracerArrayConversionError": "NumPy's functions cannot be differentiated. Take xp as the first argument, "
    "def {name}(xp, {arguments}), and write xp.exp for np.exp",
    **dict.fromkeys(
        ("TracerBoolConversionError", "ConcretizationTypeError", "TracerIntegerConversionError"),
        "What is computed may not branch on the numbers themselves. Take xp as the first argument, "
        "def {name}(xp, {arguments}), and write xp.where(condition, a, b) for if",
    ),
}
"""What to do about errors of the library that compiles programs, by their names."""


def takes_namespace(function: Callable[..., Any], what: str, arguments: tuple[str, ...]) -> bool:
    """Return whether a function takes `(xp, *arguments)`; False: it takes these arguments alone.

    Raises:
        SettingError: it takes neither.

    Example:
        >>> takes_namespace(lambda xp, z: xp.exp(z), "activation", ("z",))
        True
    """
    try:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
    except (TypeError, ValueError) as error:  # some functions written in C do not say
        raise SettingError(f"the {what} {name_of(function)!r} must be a Python function: {error}") from None
    positional = [p for p in parameters if p.kind <= p.POSITIONAL_OR_KEYWORD]
    least = sum(p.default is p.empty for p in positional)
    most = 99 if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)
    unnamed = not any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters)
    plain, count = ", ".join(arguments), len(arguments)
    if unnamed and least <= count <= most < 99:
        return False
    if unnamed and least <= count + 1 <= most:
        return True
    raise SettingError(
        f"the {what} {name_of(function)!r} must take ({plain}) or (xp, {plain}), but it takes {signature}. "
        f"Give further arguments default values"
    )


def called(function: Callable[..., Any], what: str, *arguments: Any) -> Any:
    """Return what a function makes of arguments.

    Raises:
        SettingError: it failed; the message has the function's line, in which file, and why.
    """
    try:
        return function(*arguments)
    except ShoalError:
        raise
    except Exception as error:
        raise SettingError(_failure(function, what, error)) from None


def name_of(function: Any) -> str:
    """Return the name of a function, or of the class of what can be called."""
    return str(getattr(function, "__name__", type(function).__name__))


def _failure(function: Callable[..., Any], what: str, error: Exception) -> str:
    """Return where a function failed, why, and what to do."""
    code = getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
    frames = traceback.extract_tb(error.__traceback__)[1:]  # behind `called`
    theirs = [frame for frame in frames if code is not None and frame.filename == code.co_filename] or frames
    where = f" in {theirs[-1].filename}, line {theirs[-1].lineno}: {theirs[-1].line}" if theirs else ""
    reason = str(error).strip().split("\n")[0].removesuffix(".")
    name = name_of(function)
    example, arguments = "f" if name == "<lambda>" else name, "z" if what == "activation" else "y_true, y_pred"
    mending = _MENDING.get(type(error).__name__, "").format(name=example, arguments=arguments)
    return f"the {what} {name!r} failed{where} ({type(error).__name__}: {reason}). {mending}".strip()
