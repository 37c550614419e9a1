"""What a figure is before it is drawn, and numbers that people hold in Python and that can draw themselves."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from shoal.report.figures.canvas import Figure
from shoal.report.figures.export import drawing, svg_text
from shoal.short_repr import ShortRepr


@dataclass(frozen=True)
class FigureNumbers:
    """A figure before it is drawn: its name and its numbers.

    The numbers are a dataclass with `alt`, what the figure shows in a sentence, `caption`, how to read it, and
    `table()`, the same numbers as columns; the function `draw` of its module draws them.
    """

    name: str
    numbers: Any

    def draw(self) -> Figure:
        """Return the figure; its style is that of `export.drawing`."""
        return drawn(self.numbers)


def is_drawable(numbers: Any) -> bool:
    """Return whether something is the numbers of a figure."""
    module = type(numbers).__module__
    return module.startswith(f"{__package__}.") and hasattr(import_module(module), "draw")


def drawn(numbers: Any) -> Figure:
    """Return what the module of the numbers' class draws of them."""
    figure: Figure = import_module(type(numbers).__module__).draw(numbers)
    return figure


class Drawable(ShortRepr):
    """What its module's function `draw` draws."""

    def draw(self, path: str | Path | None = None) -> Figure:
        """Return the figure.

        Args:
            path: where to write it as well (.png, .svg, .pdf); default nowhere.

        Raises:
            SettingError: the path has an ending that no figure can be written in.
        """
        from shoal.networks.drawing import save_drawing

        with drawing():
            figure = drawn(self)
            if path is not None:
                save_drawing(figure, path)
        return figure

    def _repr_svg_(self) -> str:
        """Return the figure as notebooks show it."""
        with drawing():
            return svg_text(drawn(self))
