"""What a figure of Learn is: words, a formula, controls, and a pure function from their values to a drawing."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.errors import SettingError
from shoal.workbench.learn.figure_data import FigureData, Kind

State = Mapping[str, Any]
"""The value of each control, by its name."""


@dataclass(frozen=True)
class Slider:
    """A number within limits.

    Attributes:
        name: in the state and in links.
        label: what the user reads; also that of screen readers.
        low, high, step: its limits and the distance of two values; with `log` the step is of the decimal logarithm.
        default: at first.
        log: equal distances of the slider are equal factors.
        play: the page can let it run by itself.
        whole: whole numbers only.
    """

    name: str
    label: str
    low: float
    high: float
    default: float
    step: float = 0.1
    log: bool = False
    play: bool = False
    whole: bool = False

    def read(self, text: str) -> float | int:
        """Return the value that a text gives.

        Raises:
            SettingError: no number within the limits.
        """
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not self.low * (1 - 1e-9 * self.log) <= value <= self.high * (1 + 1e-9 * self.log):
            raise SettingError(f"{self.name}: expected a number from {self.low:g} to {self.high:g}, got {text!r}")
        return round(value) if self.whole else value

    def write(self, value: Any) -> str:
        """Return the text of a value in a link."""
        return f"{value:.6g}"


@dataclass(frozen=True)
class Choice:
    """One of a few values, `{value: label}`; the first is the default."""

    name: str
    label: str
    options: Mapping[str, str]
    default: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "default", self.default or next(iter(self.options)))

    def read(self, text: str) -> str:
        """Return the value that a text gives.

        Raises:
            SettingError: none of the options.
        """
        if text not in self.options:
            raise SettingError(f"{self.name}: expected one of {', '.join(self.options)}, got {text!r}")
        return text

    def write(self, value: Any) -> str:
        """Return the text of a value in a link."""
        return str(value)


@dataclass(frozen=True)
class Toggle:
    """On or off."""

    name: str
    label: str
    default: bool = False

    def read(self, text: str) -> bool:
        """Return the value that a text gives.

        Raises:
            SettingError: neither 0 nor 1.
        """
        if text not in ("0", "1"):
            raise SettingError(f"{self.name}: expected 0 or 1, got {text!r}")
        return text == "1"

    def write(self, value: Any) -> str:
        """Return the text of a value in a link."""
        return str(int(value))


@dataclass(frozen=True)
class Numbers:
    """A small matrix that the user fills in, as a tuple row by row.

    Attributes:
        rows, columns: names of the rows and columns, for screen readers and, where they are not numbers, to be seen.
        low, high: limits of each number.
        pixels: each number is 0 or 1 and is switched rather than typed.
        only: the data for which it is shown; by default all.
        sets: what changing a number does to other controls, `{name: value}`.
    """

    name: str
    label: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    default: tuple[float, ...]
    low: float = -9.0
    high: float = 9.0
    step: float = 1.0
    pixels: bool = False
    only: str = ""
    sets: Mapping[str, str] | None = None

    def read(self, text: str) -> tuple[float, ...]:
        """Return the numbers that a text gives, separated by commas; pixels may stand without.

        Raises:
            SettingError: another count, or a number outside the limits.
        """
        count = len(self.rows) * len(self.columns)
        parts = list(text) if self.pixels and "," not in text else text.split(",")
        try:
            values = tuple(float(part) for part in parts)
        except ValueError:
            values = ()
        low, high = (0.0, 1.0) if self.pixels else (self.low, self.high)
        if len(values) != count or not all(low <= value <= high for value in values):
            raise SettingError(f"{self.name}: expected {count} numbers from {low:g} to {high:g}, got {text[:80]!r}")
        return values

    def write(self, value: Any) -> str:
        """Return the text of a value in a link."""
        return "".join(f"{v:.0f}" for v in value) if self.pixels else ",".join(f"{v:.4g}" for v in value)

    def matrix(self, value: Any) -> np.ndarray:
        """Return the numbers as an array of its shape."""
        return np.asarray(value, np.float64).reshape(len(self.rows), len(self.columns))


Control = Slider | Choice | Toggle | Numbers


@dataclass(frozen=True)
class Figure:
    """A figure to touch.

    Attributes:
        name: in links.
        part: under which heading it stands.
        order: of the figures of a part.
        title: a few words.
        lead: what is to be seen, in a sentence or two.
        formula: in LaTeX; several are shown one below the other.
        question, answer: one of each.
        controls: what can be changed.
        compute: the drawing for a state and data, a pure function, see `drawing`.
        kind: of the data that it draws, or None.
        sources: built-in data of this kind, the first the default; `own` of the user are offered beside them.
        settle: what a state becomes before it is drawn, where one control decides on another.
    """

    name: str
    part: str
    order: int
    title: str
    lead: str
    formula: tuple[str, ...]
    question: str
    answer: str
    controls: tuple[Control, ...]
    compute: Callable[[State, Any], dict[str, Any]]
    kind: Kind | None = None
    sources: tuple[str, ...] = ()
    settle: Callable[[State], State] = dict

    @property
    def defaults(self) -> dict[str, Any]:
        """The state at first."""
        return {control.name: control.default for control in self.controls}

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the state that a link gives; what it leaves out is as at first.

        Raises:
            SettingError: a value that its control cannot have.

        Example:
            >>> from shoal.workbench.learn import get_figure
            >>> get_figure("neuron").read({"w1": "0.5"})["w1"]
            0.5
        """
        given = {c.name: c.read(texts[c.name]) for c in self.controls if c.name in texts}
        return dict(self.settle(self.defaults | given))

    def write(self, state: State) -> dict[str, str]:
        """Return the texts of a state, for a link."""
        return {control.name: control.write(state[control.name]) for control in self.controls}

    def draw(self, state: State | None = None, data: FigureData | None = None) -> dict[str, Any]:
        """Return the drawing of a state, by default as at first with the first built-in data."""
        if data is None and self.kind is not None:
            from shoal.workbench.learn.figure_data import builtin_data

            data = builtin_data(self.kind, self.sources[0])
        return self.compute(dict(self.settle(self.defaults | dict(state or {}))), data)
