"""What a figure is before it is drawn, and numbers that people hold in Python and that can draw themselves."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from shoal.report.figures.export import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class FigureNumbers:
    """A figure before it is drawn: its name, its numbers, and the module that draws them.

    The numbers are a dataclass with `alt`, what the figure shows in a sentence, `caption`, how to read it, and
    `table()`, the same numbers as columns.
    """

    name: str
    numbers: Any
    module: ModuleType


class Drawable:
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
            figure: Figure = import_module(type(self).__module__).draw(self)
            if path is not None:
                save_drawing(figure, path)
        return figure
