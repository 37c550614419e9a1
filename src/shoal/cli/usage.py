"""What was typed wrongly, in shoal's own words instead of those of the library that takes the words apart."""

from __future__ import annotations

import re
from typing import Any, NoReturn

from shoal.cli.guard import tell

USAGE = 2
"""The exit code."""


def refuse(error: Exception, ctx: Any) -> NoReturn:
    """Say what is wrong with the words of a command and how to see what it takes, and end with exit code 2.

    Args:
        error: a usage error of typer; any other is raised again.
        ctx: the context of the command.
    """
    text = _in_words(error, ctx)
    if text is None:
        raise error
    tell("error", f"{text} `{ctx.command_path} --help` shows what it takes.")
    raise SystemExit(USAGE) from None


def _in_words(error: Exception, ctx: Any) -> str | None:
    """Return what is wrong as a sentence; None of an error that is none of usage."""
    kind, param = type(error).__name__, getattr(error, "param", None)
    if kind == "MissingParameter" and param is not None:
        return f"{_name(param)} is missing: {(param.help or '').rstrip('.')}."
    if kind == "BadParameter" and param is not None:
        return f"{_name(param)}: {_mismatch(error)}."
    if kind == "NoSuchOption":
        return _unknown_option(error, ctx)
    if kind == "BadOptionUsage":
        needs = "is a switch and takes no value" if "not take" in str(error) else "needs a value behind it"
        return f"{error.option_name} {needs}."  # type: ignore[attr-defined]
    if kind == "UsageError" and (more := re.search(r"extra argument.* \((.*)\)$", str(error))):
        files = " Files that are one table are named by one pattern, in quotes: 'runs/*.csv'." if "." in more[1] else ""
        return f"{more[1]!r} is more than `{ctx.command_path}` takes.{files}"
    return None


def _name(param: Any) -> str:
    """Return what an option or an argument is called where it is typed."""
    return str(param.opts[0] if param.opts[0].startswith("-") else param.metavar or param.name.upper())


def _mismatch(error: Exception) -> str:
    """Return what was expected of a value, and what came."""
    from shoal.errors import expected

    cause: Any = error.__cause__
    if not hasattr(cause, "errors"):
        text = str(error).rstrip(".")
        number = re.fullmatch(r"(.*) is not a valid (float|integer)", text, re.DOTALL)
        if number is None:
            return text
        return f"expected a {'whole ' if number[2] == 'integer' else ''}number, got {number[1]}"
    first = cause.errors()[0]
    return f"{expected(first)}, got {first['input']!r}"


def _unknown_option(error: Any, ctx: Any) -> str:
    """Return that there is no such option, with the one that is meant under another name or spelling."""
    from shoal.setting_names import nearest_setting

    flags = {flag.lstrip("-").replace("-", "_"): flag for param in ctx.command.params for flag in param.opts}
    meant = nearest_setting(error.option_name.lstrip("-").replace("-", "_"), flags)
    near = sorted(error.possibilities or ()) if meant is None else [flags[meant]]
    mean = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"there is no option {error.option_name}.{mean}"
