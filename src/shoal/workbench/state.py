"""What the user has chosen, as one record: in a link, on the command line and in Python it says the same."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from shoal.data.builtin.sets import BUILTIN
from shoal.errors import DataError
from shoal.repeating import fit_words
from shoal.runs.folder import RunFolder
from shoal.search.knobs import knob_text
from shoal.setting_panels import kind_of
from shoal.settings import FitSettings, check_settings, kept_settings
from shoal.training.hyperparameters import Hyperparameters

Value = str | tuple[str, ...]
ELSEWHERE = frozenset({"out", "force", "dask", "track", "penalties"})
"""Settings that the workbench decides, or that only Python can give."""
FILES = ("roles", "test", "y_cov", "base", "from_run")
"""Settings that name a file or a folder."""


@dataclass(frozen=True)
class State:
    """What to fit, and how: all texts as they were typed, several values as a tuple.

    Attributes:
        data: name of a built-in set, or path of a file; relative paths lie in the working folder.
        settings: options of `fit` that were chosen, by name.
        run: name of the run that is looked at, empty if none is.

    Example:
        >>> state = State("iris").changed(networks="8", ignore=("a, b", "c"))
        >>> state.link()
        'data=iris&networks=8&ignore=a%2C+b&ignore=c'
        >>> State.of([("data", "iris"), ("networks", "8"), ("ignore", "a, b"), ("ignore", "c")]) == state
        True
        >>> state.changed(ignore=None).command()
        'shoal fit iris --networks 8'
    """

    data: str = ""
    settings: Mapping[str, Value] = field(default_factory=dict)
    run: str = ""

    @classmethod
    def of_run(cls, folder: RunFolder) -> State:
        """Return the state that fits a run once more, apart from where it was written.

        Raises:
            RunError: its `config.toml` is missing or damaged.
            SettingError: a setting of it is no longer known.
        """
        document = folder.config
        given = {name: value for name, value in document["settings"].items() if is_choice(name)}
        checked = kept_settings(given)
        knobs = {name: knob_text(knob) for name, knob in checked.knobs().items()}
        source = document["data"].get("name" if document["data"].get("source") == "built in" else "source", "")
        return cls(source, {}, folder.name).changed(**{**checked.given(), **knobs})

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> State:
        """Return the state that the query of a link holds; what is no setting is left out."""
        found: dict[str, list[str]] = {}
        for name, value in pairs:
            found.setdefault(name, []).append(value)
        settings = {name: _value(name, texts) for name, texts in found.items() if is_choice(name)}
        return cls(found.get("data", [""])[-1], settings, found.get("run", [""])[-1])

    def changed(self, **settings: Any) -> State:
        """Return the state with other settings; None or an empty text takes one out."""
        kept = {**self.settings, **{name: _plain(value) for name, value in settings.items()}}
        return replace(self, settings={name: value for name, value in kept.items() if value not in ("", ())})

    def link(self) -> str:
        """Return the query of a link that holds the state."""
        pairs: list[tuple[str, str]] = [("data", self.data)] if self.data else []
        for name, value in self.settings.items():
            pairs += [(name, text) for text in (value if isinstance(value, tuple) else (value,))]
        return urlencode([*pairs, *([("run", self.run)] if self.run else [])])

    def checked(self, folder: Path | None = None) -> FitSettings:
        """Return the settings of the fit, files in the working folder where one is given.

        Raises:
            SettingError: one of them makes no sense.
        """
        values: dict[str, Any] = dict(self.settings)
        for name in FILES:
            if folder is not None and isinstance(text := values.get(name), str):
                values[name] = str(folder / text)
        return check_settings(values)

    def source(self, folder: Path) -> str:
        """Return what `fit` reads: a built-in set by its name, a file by its full path.

        Raises:
            DataError: nothing is chosen, there is no such file, or it lies on another machine.
        """
        if not self.data:
            raise DataError("no data are chosen yet; drop a file on the page Data, or choose a built-in set.")
        if self.data in BUILTIN:
            return self.data
        if "://" in self.data:
            raise DataError(f"{self.data!r} is on another machine, and the workbench asks none; fetch the file first.")
        path = folder / self.data
        if not path.exists() and not any(sign in self.data for sign in "*?["):
            raise DataError(f"there is no file {self.data!r} in {str(folder)!r} (was it moved or deleted?).")
        return str(path)

    def words(self) -> list[str]:
        """Return the words of the command that fits.

        Raises:
            SettingError: a setting makes no sense.
        """
        checked = self.checked()
        data = f"./{self.data}" if self.data.startswith("-") else self.data
        return fit_words(data, checked, checked.given())

    def command(self) -> str:
        """Return the command line that fits, to be typed in the working folder."""
        return shlex.join(self.words())

    def script(self) -> str:
        """Return a script of Python that fits.

        Example:
            >>> print(State("iris").changed(networks="8", activation="relu; tanh").script())
            import shoal
            <BLANKLINE>
            run = shoal.fit(
                "iris",
                networks=8,
                activation="relu; tanh",
            )
            print(run)
        """
        checked = self.checked()
        knobs = {name: knob_text(knob) for name, knob in checked.knobs().items()}
        lines = [f"    {_quoted(self.data)},"]
        lines += [f"    {name}={_quoted(knobs.get(name, value))}," for name, value in checked.given().items()]
        return "\n".join(["import shoal", "", "run = shoal.fit(", *lines, ")", "print(run)"])


def is_choice(name: str) -> bool:
    """Return whether a setting can be chosen in the workbench."""
    return name in FitSettings.model_fields and name not in ELSEWHERE


def _quoted(value: Any) -> str:
    text = repr(value)
    return f'"{text[1:-1]}"' if isinstance(value, str) and text[0] == "'" and '"' not in text else text


def _value(name: str, texts: list[str]) -> Value:
    return tuple(texts) if takes_several(name) else texts[-1]


def takes_several(name: str) -> bool:
    """Return whether a setting is a list of texts, such as names of columns.

    >>> takes_several("ignore"), takes_several("networks"), takes_several("where"), takes_several("hidden")
    (True, False, True, False)
    """
    return kind_of(FitSettings.model_fields[name])[0] == list[str] and name not in Hyperparameters.model_fields


def _plain(value: Any) -> Value:
    if value is None:
        return ""
    if isinstance(value, (tuple, list)):
        return tuple(str(text) for text in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
