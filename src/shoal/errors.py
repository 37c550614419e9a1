"""The errors that shoal raises on purpose.

::

    ShoalError                      exit code 2
    ├── DataError (ValueError)      a file or table that cannot be used as it is
    ├── SettingError (ValueError)   an option with a value that makes no sense
    │   └── Diverged                a learning rate, mostly, with which no network learned; the curves are kept
    ├── NetworkError (ValueError)   layers that do not fit together
    ├── ExportError (ValueError)    a predictor that a format cannot say
    ├── RunError (OSError)          a run folder that is missing, damaged or too new
    ├── OutputError                 exit code 1: what was printed did not arrive
    └── Interrupted                 stopped, work kept; exit code 130 by Ctrl-C, 75 by a signal or the end of the time

Each message says what was expected, what came, where, and how to mend it; the command line prints it
without a traceback.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any


class ShoalError(Exception):
    """Any error that shoal raises on purpose; the command line exits with `exit_code`."""

    exit_code = 2


class DataError(ShoalError, ValueError):
    """A file, table or column that cannot be used as it is."""


class SettingError(ShoalError, ValueError):
    """An option or argument whose value makes no sense."""


class Diverged(SettingError):
    """Every network diverged; their curves are kept in the folder of the run."""


class NetworkError(ShoalError, ValueError):
    """Layers that do not fit together."""


class ExportError(ShoalError, ValueError):
    """A predictor that a file format cannot say."""


class RunError(ShoalError, OSError):
    """A run folder that is missing, damaged or written by a newer shoal."""


class OutputError(ShoalError):
    """Standard output that cannot be written, such as on a full disk."""

    exit_code = 1


class Interrupted(ShoalError):
    """The run was stopped; what was done is kept.

    Args:
        text: the message.
        exit_code: `BY_USER`, 130, or `TRY_AGAIN`, 75 (EX_TEMPFAIL of sysexits.h), where a signal or the end of the time
            stopped it.
    """

    BY_USER, TRY_AGAIN = 130, 75

    def __init__(self, text: str, exit_code: int = BY_USER) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class ShoalWarning(UserWarning):
    """Something the user should know that does not stop the work."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `" Did you mean 'x'?"` for the nearest known name, or an empty string.

    >>> suggest("speces", ["species", "petal"])
    " Did you mean 'species'?"
    """
    nearest = difflib.get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def spelled(name: str, known: Iterable[str]) -> str:
    """Return the known name that is the same but for case, underscores, hyphens and spaces, else the name as it is.

    >>> spelled("LeakyReLU", ["relu", "leaky_relu"]), spelled("adamm", ["adam"])
    ('leaky_relu', 'adamm')
    """

    def plain(text: str) -> str:
        return "".join(letter for letter in text.lower() if letter not in "_- ")

    return next((each for each in known if plain(each) == plain(str(name))), str(name))


def plural(singular: str) -> str:
    """Return a noun for several.

    >>> plural("image"), plural("test series")
    ('images', 'test series')
    """
    return singular if singular.endswith("series") else f"{singular}s"


def counted(amount: float, singular: str, several: str | None = None) -> str:
    """Return an amount with its noun in the right number.

    >>> counted(1, "row"), counted(1200, "row"), counted(2, "class", "classes"), counted(2, "test series")
    ('1 row', '1,200 rows', '2 classes', '2 test series')
    """
    return f"{round(amount):,} {singular if amount == 1 else several or plural(singular)}"


_EXPECTED = {
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "finite_number": "a finite number",
    "string_type": "a text",
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
}


def expected(error: Mapping[str, Any]) -> str:
    """Return what pydantic expected, from one of its errors.

    >>> expected({"type": "greater_than_equal", "ctx": {"ge": 2}, "msg": ""})
    'expected 2 or more'
    >>> expected({"type": "value_error", "msg": "Value error, x_err names a feature twice"})
    'x_err names a feature twice'
    """
    if error["type"] in _EXPECTED:
        return "expected " + _EXPECTED[error["type"]].format(**error.get("ctx", {}))
    text = str(error["msg"]).removeprefix("Value error, ")
    return text[:1].lower() + text[1:]


def listing(names: Iterable[str], most: int = 12) -> str:
    """Return names as a short readable list for a message, cut after `most`.

    >>> listing(["a", "b"])
    'a, b'
    """
    names = [str(n) for n in names]
    rest = f", … ({len(names)} in all)" if len(names) > most else ""
    return ", ".join(names[:most]) + rest
