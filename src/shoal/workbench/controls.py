"""Controls of the browser's own with labels, which screen readers know: texts, choices, buttons, tables."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from nicegui import ui
from nicegui.client import Client
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement
from nicegui.events import GenericEventArguments

Handler = Callable[[str], Awaitable[Any] | Any]
_CHANGES = "changes"
_NAME_AND_VALUE = """({ target }) => {
    const value = target.type === "checkbox" ? String(target.checked) : target.value;
    if (target.id.startsWith("f-")) emit([target.id, value]);
}"""


def tag(kind: str, text: str | None = None, classes: str = "", **attributes: Any) -> Element:
    """Return an element of HTML; its text is never read as markup.

    Args:
        kind: such as `p`, `h2`, `td`.
        text: what it says.
        classes: of its style.
        attributes: further ones; an underscore stands for a hyphen, and one at the end is left out, as in `for_`. None
            and False leave an attribute out, True writes it alone. What is drawn anew takes the place of what has the
            same `key`, which is the `id` where none is given, or else of what stands there: only what differs changes.
    """
    element = Element(kind) if text is None else TextElement(tag=kind, text=text)
    if "-" not in kind:  # elements of the canvas begin anew
        element.props["key"] = attributes.get("id") or attributes.get("aria_labelledby")
    if classes:
        element.classes(classes)
    for name, value in attributes.items():
        if value is not None and value is not False:
            element.props[name.rstrip("_").replace("_", "-")] = "" if value is True else value
    return element


def button(text: str, on_click: Callable[[], Any], *, classes: str = "", **attributes: Any) -> Element:
    """Return a button."""
    made = tag("button", text, f"button {classes}", type="button", **attributes)
    made.on("click", lambda _: on_click(), args=[])
    return made


def link(text: str, to: str, classes: str = "", **attributes: Any) -> Element:
    """Return a link to a page of this app."""
    return tag("a", text, classes, href=to, **attributes)


def field(
    name: str,
    label: str,
    value: str,
    on_change: Handler,
    *,
    help: str = "",
    hidden_label: bool = False,
    classes: str = "",
    **attributes: Any,
) -> Element:
    """Return a line of text with its label; `on_change` gets what was typed when the field is left, or at Enter.

    Args:
        name: of its elements, unlike any other of the page.
        label: what it is.
        value: what stands in it.
        on_change: called with the new text; where it returns True, what stands in it by then is shown.
        help: a sentence below.
        hidden_label: only screen readers read the label.
        classes: of its style; `code` writes it in letters of one width.
        attributes: of the input, such as `placeholder`.
    """
    with tag("div", classes="field"):
        if not hidden_label:
            tag("label", label, for_=f"f-{name}")
        hint = f"f-{name}-help" if help else None
        made = tag(
            "input", None, f"input {classes}", id=f"f-{name}", type="text", aria_describedby=hint,
            aria_label=label if hidden_label else None, autocomplete="off", spellcheck="false", **attributes,
        )  # fmt: skip
        made.props["^value"] = value  # the attribute; as a property Vue would write it over what is typed
        _listen(made, value, on_change)
        if help:
            tag("p", help, "help", id=hint)
    return made


def choice(
    name: str,
    label: str,
    value: str,
    options: Mapping[str, str] | Sequence[str],
    on_change: Handler,
    *,
    help: str = "",
    hidden_label: bool = False,
    **attributes: Any,
) -> Element:
    """Return a list of which one is chosen.

    Args:
        name: of its elements, unlike any other of the page.
        label: what it is.
        value: which is chosen.
        options: what can be chosen; a mapping goes from values to texts.
        on_change: called with the new value; where it returns False, the value from before is shown again.
        help: a sentence below.
        hidden_label: only screen readers read the label.
        attributes: of the list.
    """
    texts = options if isinstance(options, Mapping) else dict(zip(options, options, strict=True))
    with tag("div", classes="field"):
        if not hidden_label:
            tag("label", label, for_=f"f-{name}")
        hint = f"f-{name}-help" if help else None
        made = tag(
            "select", None, "input", id=f"f-{name}", aria_describedby=hint,
            aria_label=label if hidden_label else None, **attributes,
        )  # fmt: skip
        with made:
            for each, text in texts.items():
                tag("option", text, value=each)
        made.props[".value"] = value  # set when it changes only, so that a choice stands until it is answered
        _listen(made, value, on_change)
        if help:
            tag("p", help, "help", id=hint)
    return made


class _Changes:
    """What is called when a control changes, by the names of controls; one that is drawn anew takes the place."""

    def __init__(self) -> None:
        self.handlers: dict[str, Handler] = {}
        self.held: dict[str, str] = {}

    def changed(self, event: GenericEventArguments) -> Awaitable[None] | None:
        """Hand on what was typed or chosen, at once: a click may come right behind."""
        name, value = event.args
        done = self.handlers[name](str(value)) if name in self.handlers else None
        return self._answer(event.client, name, str(value), done) if isinstance(done, Awaitable) else None

    async def _answer(self, client: Client, name: str, value: str, done: Awaitable[Any]) -> None:
        """Show what holds by then; a text that is refused stays to be mended."""
        taken = await done
        if isinstance(taken, bool) and self.held[name] != value:
            client.run_javascript(f"shoal.answer({json.dumps([name, self.held[name], taken])})")


def hear_changes(place: Element) -> None:
    """Let a place that is never drawn anew hear the controls within: one that is, hears nothing at that moment."""
    changes = place.client.storage[_CHANGES] = _Changes()
    place.on("change", changes.changed, js_handler=_NAME_AND_VALUE)


def _listen(element: Element, value: str, on_change: Handler) -> None:
    changes: _Changes = element.client.storage[_CHANGES]
    changes.handlers[element.props["id"]], changes.held[element.props["id"]] = on_change, value


def facts(pairs: Iterable[tuple[str, str]]) -> None:
    """Draw values below their names, side by side."""
    with tag("dl", classes="facts"):
        for name, value in pairs:
            with tag("div"):
                tag("dt", name)
                tag("dd", value)


def table(
    caption: str, head: Iterable[str], rows: Iterable[Iterable[Any]], *, right: Iterable[int] = (), classes: str = ""
) -> Element:
    """Return a table of texts that scrolls sideways where it is too wide; numbers of columns in `right` stand right."""
    places = set(right)
    with scrolled(caption) as made, tag("table", classes=classes):
        tag("caption", caption, "visually-hidden")
        with tag("thead"), tag("tr"):
            for i, text in enumerate(head):
                tag("th", text, "n" if i in places else "", scope="col")
        with tag("tbody"):
            for row in rows:
                with tag("tr"):
                    for i, cell in enumerate(row):
                        tag("td", str(cell), "n" if i in places else "")
    return made


def scrolled(what: str) -> Element:
    """Return a place for what may be too wide; it scrolls sideways, with keys too."""
    return tag("div", classes="scroll", tabindex="0", role="region", aria_label=what)


def drawing(svg: str, label: str, classes: str = "") -> Element:
    """Return a drawing made by shoal as an `<svg>` element, with what it shows for those who do not see it."""
    # The drawing is shoal's own, and names in it are escaped.
    made = ui.html(svg, sanitize=False).classes(f"drawing {classes}")
    made.props["role"], made.props["aria-label"] = "img", label
    return made
