"""Forms made from the declared settings, so that a new setting appears by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shoal.setting_panels import EXPRESSIONS, described, kind_of
from shoal.settings import FitSettings, choices_of, default_in_words
from shoal.training.hyperparameters import Hyperparameters
from shoal.workbench.controls import choice, field, tag
from shoal.workbench.state import is_choice, takes_several
from shoal.workbench.visit import Visit

ALTERNATIVES = "Alternatives are separated by semicolons, limits by two dots: relu; tanh, or 0.001..0.01."


def in_panel(panel: str, without: Iterable[str] = ()) -> list[str]:
    """Return the settings of a panel, in the order in which they are declared.

    >>> "networks" in in_panel("Networks"), "out" in in_panel("Run")
    (True, False)
    """
    from shoal.setting_panels import panel as panel_of

    left_out = set(without)
    return [
        name for name in FitSettings.model_fields
        if panel_of(name) == panel and is_choice(name) and name not in left_out
    ]  # fmt: skip


def form(visit: Visit, names: Iterable[str], hints: Mapping[str, str] | None = None) -> None:
    """Draw a control for each setting; what is typed is checked and stands in the state.

    Args:
        visit: of the page.
        names: of the settings.
        hints: what holds where one is not given, by name, where more is known than the usual default.
    """
    with tag("div", classes="grid"):
        for name in names:
            setting(visit, name, (hints or {}).get(name, ""))


def setting(visit: Visit, name: str, hint: str = "") -> None:
    """Draw the control of one setting."""
    label = name.replace("_", " ")
    given, usual = visit.state.settings.get(name, ""), hint or default_in_words(name).removeprefix("default: ")
    kind, _ = kind_of(FitSettings.model_fields[name])
    words = choices_of(name)
    searched = name in Hyperparameters.model_fields
    help = _sentence(described(name))

    async def take(text: str) -> bool:
        return await visit.change(**{name: _split(name, text)})

    value = ", ".join(given) if isinstance(given, tuple) else given
    if kind is bool or kind == list[bool]:
        silent = "as suits the data" if FitSettings.model_fields[name].default is None else "no"
        options = {"": f"({usual.replace('on', 'yes') or silent})", "true": "yes", "false": "no"}
        choice(f"set-{name}", label, value, _with(options, value), take, help=help)
    elif words and not searched:
        options = {"": f"({usual or 'as suits the data'})", **{str(word): str(word) for word in words}}
        choice(f"set-{name}", label, value, _with(options, value), take, help=help)
    else:
        mode = "decimal" if kind in (int, float) and not searched else None
        field(f"set-{name}", label, value, take, help=help, placeholder=usual or None, inputmode=mode)


def _with(options: Mapping[str, str], value: str) -> dict[str, str]:
    """Return options with one more for a value that is none of them, such as alternatives of them."""
    return {**options, **({} if value in options else {value: value})}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "." if text else ""


def _split(name: str, text: str) -> str | tuple[str, ...]:
    """Return what was typed as the state has it: names of columns are separated by commas."""
    text = text.strip()
    if not takes_several(name):
        return text
    separator = "\n" if name in EXPRESSIONS else ","
    return tuple(part.strip() for part in text.split(separator) if part.strip())
