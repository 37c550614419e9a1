"""What browsers ask of Learn: the words of a figure, and its drawing for a state, computed beside the event loop."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shoal.errors import DataError, SettingError
from shoal.workbench.learn.figure import Choice, Control, Figure, Numbers, Slider
from shoal.workbench.learn.figure_data import CHOICES, FigureData, builtin_data, data_of
from shoal.workbench.learn.registry import all_figures, get_figure
from shoal.workbench.recent import Recent

OWN = "own"
MOST_KEPT = 64
LONGEST = 4000
"""Characters of a question."""

DatasetOf = Callable[[str], Any]
"""From the query of a page of the workbench to the dataset that it shows."""


class Superseded(Exception):
    """A newer question of the same page came before this one was begun."""


def words_of(name: str) -> dict[str, Any]:
    """Return what a figure says, its formula as MathML, and its controls.

    Raises:
        SettingError: there is no such figure.
        DataError: latex2mathml is missing.
    """
    figure = get_figure(name)
    return {
        **{key: getattr(figure, key) for key in ("name", "part", "title", "lead", "question", "answer", "kind")},
        "formula": [mathml(formula) for formula in figure.formula],
        "controls": [_plain_control(control) for control in figure.controls],
        "sources": [*figure.sources, *([OWN] if figure.kind else [])],
    }


def index() -> list[dict[str, str]]:
    """Return name, title and part of all figures."""
    return [{"name": f.name, "title": f.title, "part": f.part} for f in all_figures()]


def mathml(formula: str) -> str:
    """Return a formula in LaTeX as MathML, which browsers draw by themselves.

    Raises:
        DataError: latex2mathml is missing.
    """
    try:
        from latex2mathml.converter import convert
    except ImportError:
        raise DataError("formulas need latex2mathml; install it with: pip install 'shoal[workbench]'") from None
    return str(convert(formula, display="block"))


def _plain_control(control: Control) -> dict[str, Any]:
    plain: dict[str, Any] = {"type": type(control).__name__.lower(), "name": control.name, "label": control.label}
    plain["value"] = control.write(control.default)
    if isinstance(control, Slider):
        plain |= {key: getattr(control, key) for key in ("low", "high", "step", "log", "play", "whole")}
    elif isinstance(control, Choice):
        plain["options"] = dict(control.options)
    elif isinstance(control, Numbers):
        plain |= {
            key: getattr(control, key) for key in ("low", "high", "step", "rows", "columns", "pixels", "only", "sets")
        }
    return plain


def answer(figure: Figure, texts: Mapping[str, str], dataset_of: DatasetOf) -> dict[str, Any]:
    """Return the drawing of a figure for the texts of a link.

    Args:
        figure: which.
        texts: of its controls, of `data` and of what these let choose; `own` is the query of the page, for own data.
        dataset_of: finds them.

    Raises:
        SettingError: a value that its control cannot have.
        DataError: the data cannot be drawn.
    """
    state = figure.read(texts)
    data = _data(figure, texts, dataset_of) if figure.kind else None
    picks = [] if data is None else [vars(pick) for pick in data.picks]
    return {"state": figure.write(state), "picks": picks, "drawing": figure.compute(state, data)}


def _data(figure: Figure, texts: Mapping[str, str], dataset_of: DatasetOf) -> FigureData:
    assert figure.kind is not None
    source = texts.get("data", figure.sources[0])
    picks = tuple((name, texts[name]) for name in ("first", "second", "target", "row", "channel") if name in texts)
    if source == OWN:
        return own_data(figure, dataset_of(texts.get("own", "")), picks)
    if source not in figure.sources:
        raise SettingError(f"data: expected one of {', '.join([*figure.sources, OWN])}, got {source!r}")
    return builtin_data(figure.kind, source, picks)


_OWN = Recent[FigureData](CHOICES // 10)


def own_data(figure: Figure, dataset: Any, picks: tuple[tuple[str, str], ...]) -> FigureData:
    """Return what a figure draws of the user's dataset, the same object as before where nothing changed."""
    key = repr((dataset.sha256, dataset.roles.target, figure.kind, picks))
    return _OWN.get(key, lambda: data_of(dataset, figure.kind, dict(picks)))  # type: ignore[arg-type]


class Answers:
    """Answers of all figures, kept for a while, one computed at a time in a thread beside.

    Whoever asks again before the first answer was begun gets only the second: the latest control wins.

    Args:
        dataset_of: finds the user's data.
    """

    def __init__(self, dataset_of: DatasetOf) -> None:
        self.dataset_of = dataset_of
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="learn")
        self._kept: OrderedDict[str, str] = OrderedDict()
        self._latest: OrderedDict[str, int] = OrderedDict()

    async def ask(self, name: str, texts: Mapping[str, str], asker: str = "") -> str:
        """Return the answer as JSON.

        Raises:
            Superseded: the asker has asked for something newer.
            SettingError: no such figure, or a value that its control cannot have.
            DataError: the data cannot be drawn.
        """
        figure = get_figure(name)
        if sum(len(key) + len(text) for key, text in texts.items()) > LONGEST:
            raise SettingError(f"a link of a figure has at most {LONGEST} characters")
        key = json.dumps([name, sorted(texts.items())])
        own = texts.get("data") == OWN  # a file may have changed
        if key in self._kept and not own:
            self._kept.move_to_end(key)
            return self._kept[key]
        number = self._latest[asker] = self._latest.get(asker, 0) + 1
        self._latest.move_to_end(asker)
        while len(self._latest) > MOST_KEPT:
            self._latest.popitem(last=False)

        def work() -> str:
            if asker and self._latest.get(asker) != number:
                raise Superseded
            return json.dumps(answer(figure, texts, self.dataset_of), allow_nan=False)

        made = await asyncio.get_running_loop().run_in_executor(self._worker, work)
        self._kept[key] = made
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return made
