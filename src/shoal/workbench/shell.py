"""What stands around each page: name, parts, theme, undo, and the line that tells."""

from __future__ import annotations

from importlib.resources import files

from nicegui import ui

from shoal.report.palette import palette
from shoal.workbench.controls import button, hear_changes, tag
from shoal.workbench.pages import Page, pages
from shoal.workbench.visit import Visit

_STATIC = files("shoal.workbench") / "static"


def style() -> str:
    """Return the style of all pages, in the colours of the page of a run."""
    light, dark = palette()
    themes = (
        f":root {{ color-scheme: light; {light} }}\n"
        f":root[data-theme=dark] {{ color-scheme: dark; {dark} }}\n"
        f"@media (prefers-color-scheme: dark) {{ :root:not([data-theme]) {{ color-scheme: dark; {dark} }} }}\n"
    )
    return themes + (_STATIC / "workbench.css").read_text(encoding="utf-8")


def shell(visit: Visit, page: Page) -> ui.element:
    """Draw what stands around a page and return the place for its content."""
    ui.page_title(f"{page.title} · shoal")
    # The theme must stand before anything is drawn, or the page flashes.
    ui.add_head_html(
        "<script>(t => t && (document.documentElement.dataset.theme = t))(localStorage.getItem('shoal-theme'))</script>"
        f"<link rel='stylesheet' href='{_fresh('workbench.css')}'>"
        f"<script defer src='{_fresh('workbench.js')}'></script>"
    )
    tag("a", "Skip to the content", "skip", href="#content")
    with tag("header", classes="top"):
        with tag("div", classes="brand"):
            tag("span", "shoal", "name")
            tag("span", visit.folder.name or str(visit.folder), "folder", title=str(visit.folder))
        navigation(visit, page)
        with tag("div", classes="tools"):
            button("Undo", visit.undo, classes="quiet", id="undo", title="Undo the last change (Ctrl+Z)")
            tag("button", "Theme", "button quiet", type="button", id="theme", title="Light, dark, or as the system is")
    content = tag("main", None, "content", id="content", tabindex="-1")
    hear_changes(content)
    tag("div", None, "told", id="told", role="status", aria_live="polite")
    return content


def _fresh(name: str) -> str:
    """Return the relative address of a file of ours, another one when the version changes."""
    from shoal import __version__

    return f"static/{name}?{__version__}"


def navigation(visit: Visit, current: Page) -> None:
    """Draw the links to all parts, which carry the state along."""
    links = []
    with tag("nav", classes="parts", aria_label="Parts"):
        for number, page in enumerate(pages(), 1):
            here = "page" if page.name == current.name else None
            element = tag(
                "a", page.title, href=visit.link(page.name), aria_current=here, id=f"to-{page.name}",
                title=f"Alt+{number}", data_key=number,
            )  # fmt: skip
            links.append((page, element))

    def follow() -> None:
        for page, element in links:
            element.props["href"] = visit.link(page.name)
            element.update()

    visit.on_change(follow)
