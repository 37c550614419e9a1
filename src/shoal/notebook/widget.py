"""The widget that draws curves in a notebook; `curves.js` draws, from what is handed over here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anywidget
import numpy as np
import traitlets
from IPython.display import display

from shoal.notebook.curve_table import Picture


class CurvesWidget(anywidget.AnyWidget):
    """Curves of many networks, below a line of text.

    Attributes:
        state: `line`, `notes`, `warnings`, `metric`, `networks`, `ended`, and of the picture `epochs`, `reached` and
            `best`, which has `network`, `epoch`, `loss` and `curve`.
        losses: float32, little endian, `(curves, epochs)`.
    """

    _esm = Path(__file__).parent / "curves.js"
    state = traitlets.Dict().tag(sync=True)
    losses = traitlets.Bytes().tag(sync=True)

    @classmethod
    def displayed(cls) -> CurvesWidget:
        """Return a widget that is shown in the cell that runs."""
        widget = cls()
        widget._handle = display(widget, display_id=True)
        return widget

    def show(self, picture: Picture, networks: int, line: str, words: dict[str, Any], *, ended: bool = False) -> None:
        """Draw a picture; the whole of it is handed over, so that a page that is opened late misses nothing."""
        best = None if picture.best is None else picture.best._asdict()
        of_picture = {"epochs": picture.epochs.tolist(), "reached": picture.reached, "best": best}
        with self.hold_sync():
            self.losses = np.ascontiguousarray(picture.losses, "<f4").tobytes()
            self.state = {**words, **of_picture, "line": line, "networks": networks, "ended": ended}

    def keep(self) -> None:
        """Let the notebook keep the last line as text, for whoever opens it without its kernel."""
        if self._handle is not None:
            self._handle.update(self)

    def __repr__(self) -> str:
        return str(self.state.get("line", "")) or "curves of networks"
