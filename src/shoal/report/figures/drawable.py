"""Numbers of a figure that people hold in Python and that can draw themselves."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from shoal.report.figures.export import drawing

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
