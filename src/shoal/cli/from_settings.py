"""Flags made from FitSettings, so that function, command line and `config.toml` cannot disagree."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any

import typer

from shoal.data.readers.options import READING as READING
from shoal.data.readers.options import read_options as read_options
from shoal.search.knobs import is_knob_text
from shoal.search.space import Categorical
from shoal.setting_panels import EXPRESSIONS, PANELS, described, flag, kind_of, panel
from shoal.settings import FitSettings
from shoal.training.hyperparameters import Hyperparameters

# Columns may be repeated or hold commas; these others are texts that the settings take apart themselves.
_COMMA_LISTS = ("hidden", "activation")


def parameter(name: str) -> inspect.Parameter:
    """Return a setting as a parameter that typer turns into a flag; None means: not given."""
    field = FitSettings.model_fields[name]
    kind, choices = kind_of(field)
    number = name in Hyperparameters.model_fields and kind in (int, float)
    option = typer.Option(
        *_declarations(name, kind),
        help=_help(name),
        rich_help_panel=panel(name),
        metavar="NAME" if choices else _metavar(name, kind),
        autocompletion=_completion(choices),
        parser=partial(_number_or_knob, kind) if number else _number_or_word if name == "cv" else None,
    )
    annotation: Any = Annotated[kind | None, option]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def with_settings(names: Iterable[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator that replaces a command's parameter `settings` by one flag for each named setting.

    Args:
        names: settings of FitSettings. The command gets those that were given, by name, as the dict `settings`.
    """
    names = sorted(names, key=lambda name: PANELS.index(panel(name)))

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        parameters = inspect.signature(command, eval_str=True).parameters.values()

        def run(**values: Any) -> None:
            settings = {name: _joined(name, values.pop(name)) for name in names}
            command(**values, settings={name: value for name, value in settings.items() if value is not None})

        first = [p for p in parameters if p.default is inspect.Parameter.empty or p.kind is not p.KEYWORD_ONLY]
        last = [p for p in parameters if p not in first]
        flags = [*(p for p in first if p.name != "settings"), *map(parameter, names), *last]
        run.__signature__ = inspect.Signature(flags)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in flags}
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        return run

    return decorate


def _joined(name: str, value: Any) -> Any:
    """Join what was repeated: `--target a --target b,c` gives `("a", "b", "c")`."""
    if not isinstance(value, (list, tuple)):
        return value
    if not value:
        return None
    if isinstance(value[0], bool):
        switches = tuple(dict.fromkeys(value))  # both of them are alternatives
        return switches[0] if len(switches) == 1 else Categorical(switches)
    if name in EXPRESSIONS:
        return tuple(value)
    text = ",".join(value)
    return text if name in _COMMA_LISTS else tuple(part.strip() for part in text.split(",") if part.strip())


def _declarations(name: str, kind: Any) -> tuple[str, ...]:
    if name in ("force", "reconstruct"):  # off by default, so there is nothing to switch off
        return (flag(name),)
    if kind in (bool, list[bool]):
        return (f"{flag(name)}/--no-{name.replace('_', '-')}",)
    return (flag(name), "-o") if name == "out" else (flag(name),)


def _number_or_word(text: str) -> int | str:
    """Return a whole number, or a word in its place.

    >>> _number_or_word("5"), _number_or_word("none")
    (5, 'none')
    """
    return int(text) if text.removeprefix("-").isdecimal() else text


def _number_or_knob(kind: type[int] | type[float], text: str) -> Any:
    """Return a number, or the text of alternatives or limits."""
    try:
        return text if is_knob_text(text) else kind(text)
    except ValueError:
        what = {int: "integer", float: "float"}[kind]
        hint = " Alternatives are separated by semicolons." if "," in text else ""
        raise typer.BadParameter(f"{text!r} is not a valid {what}.{hint}") from None


def _metavar(name: str, kind: Any) -> str | None:
    if kind == list[bool]:
        return " "
    if name in Hyperparameters.model_fields and kind in (int, float):
        return {int: "INTEGER", float: "FLOAT"}[kind]
    if name in Hyperparameters.model_fields and kind == list[str]:
        return "INTEGERS" if name == "hidden" else "NAMES"
    if kind == list[str]:
        return {
            "missing": "VALUES",
            "metrics": "NAMES",
            "class_weight": "WEIGHTS",
            "derive": "COLUMN",
            "where": "CONDITION",
        }.get(name, "COLUMNS")
    return {
        "roles": "FILE",
        "test": "FILE",
        "y_cov": "FILE",
        "out": "FOLDER",
        "memory": "SIZE",
        "dask": "ADDRESS",
        "network": "LAYERS",
        "base": "RUN",
        "from_run": "RUN",
        "until": "METRIC=VALUE",
    }.get(name)


def _completion(choices: tuple[str, ...]) -> Callable[[str], list[str]] | None:
    """Return what completes a value in the shell."""
    if not choices:
        return None
    return lambda incomplete: [choice for choice in choices if choice.startswith(incomplete)]


def _help(name: str) -> str:
    # A bracket would be read as a style by rich.
    return described(name).replace("[", r"\[")
