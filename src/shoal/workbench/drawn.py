"""The elements that the canvas of the workbench draws, on pages."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from shoal.workbench.controls import tag
from shoal.workbench.plots import text

Handler = Callable[[Any], Awaitable[Any] | Any]


def add_canvas() -> None:
    """Let the page load what draws."""
    ui.add_head_html(f"<script defer src='static/canvas.js?{_stamp()}'></script>")


def curves(run: str, on_choose: Handler, on_brush: Handler) -> Element:
    """Return the validation curves of a run, as they come.

    Args:
        run: its name.
        on_choose: called with the number of the network that is chosen, or None.
        on_brush: called with the numbers of the networks that are brushed.
    """
    made = tag("shoal-curves", None, src=f"frames/{quote(run, safe='')}", id="curves")
    _listen(made, "choose", "network", on_choose)
    _listen(made, "brush", "networks", on_brush)
    return made


def plot(content: Mapping[str, Any], on_choose: Handler | None = None, on_brush: Handler | None = None) -> Element:
    """Return a plot; the functions are called with the number of a point, and with those of points in a rectangle."""
    made = tag("shoal-plot", None, data=text(content))
    if on_choose is not None:
        _listen(made, "choose", "id", on_choose)
    if on_brush is not None:
        _listen(made, "brush", "ids", on_brush)
    return made


def parallel(content: Mapping[str, Any], on_choose: Handler, on_brush: Handler) -> Element:
    """Return parallel axes; the functions are called as those of `curves`."""
    made = tag("shoal-parallel", None, data=text(content), id="parallel")
    _listen(made, "choose", "network", on_choose)
    _listen(made, "brush", "networks", on_brush)
    return made


def slider(name: str, label: str, value: str, on_set: Handler, **ends: str) -> Element:
    """Return a slider beside a field; `ends` are `low`, `high` and `step`, and the function gets the number."""
    made = tag("shoal-slider", None, id=name, label=label, value=value, **ends)
    _listen(made, "set", "value", lambda number: on_set(float(number)) if isinstance(number, int | float) else None)
    return made


def redraw(element: Element, content: Mapping[str, Any]) -> None:
    """Give a plot other numbers."""
    element.props["data"] = text(content)
    element.update()


def mark(element: Element, name: str, networks: list[int]) -> None:
    """Brush networks in a drawing (`brushed`), or choose one (`chosen`), without drawing it anew."""
    value = ",".join(map(str, networks))
    element.props[name] = value
    element.client.run_javascript(
        f"document.querySelector('#{element.props['id']}')?.setAttribute({json.dumps(name)}, {json.dumps(value)})"
    )


def _listen(element: Element, event: str, key: str, handler: Handler) -> None:
    def happened(arguments: GenericEventArguments) -> Any:
        return handler(arguments.args)

    element.on(event, happened, js_handler=f"(event) => emit(event.detail?.{key} ?? null)")


@lru_cache(maxsize=1)
def _stamp() -> str:
    """Return another text for another build, so that browsers do not keep the old one."""
    return str((Path(__file__).parent / "static" / "canvas.js").stat().st_mtime_ns)
