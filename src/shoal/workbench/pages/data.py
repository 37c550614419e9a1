"""Data: choose a file or a set, see what is in it, and say what each column is for."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

import numpy as np
from nicegui import ui

from shoal.data.builtin.sets import BUILTIN
from shoal.data.columns import Column
from shoal.data.describe import shown
from shoal.data.signals import Signals
from shoal.data.table_rules import in_words
from shoal.errors import ShoalError, counted
from shoal.setting_panels import DATA, EXPRESSIONS, SPLIT
from shoal.workbench.controls import button, choice, drawing, facts, field, scrolled, table, tag
from shoal.workbench.drawings import bars, lines, matrix, pixels
from shoal.workbench.forms import form, in_panel
from shoal.workbench.pages import Page
from shoal.workbench.rest import UPLOADS
from shoal.workbench.roles import CHOICES, with_role
from shoal.workbench.state import State
from shoal.workbench.tables import LOOKS, Look
from shoal.workbench.threads import in_thread
from shoal.workbench.visit import Visit

AT_ONCE = 40
"""Columns that are shown at once, so that tables of very many stay quick."""
EXAMPLES = 12
_BY_CLICK = ("target", "features", "weight", "group", "time", "id", "ignore", "y_err")


async def build(visit: Visit) -> None:
    """Fill the page."""
    tag("h1", "Data")
    _Page(visit).draw()


class _Drawn(NamedTuple):
    """What takes a moment to compute of data: rank correlations, and rows that stand for images or series."""

    correlations: tuple[list[str], np.ndarray]
    examples: list[tuple[int, str]]


def _drawn(look: Look) -> _Drawn:
    return _Drawn(look.correlations(), _examples(look) if look.dataset.signals is not None else [])


class _Page:
    """The page as it is drawn: where its parts lie, and which columns are shown."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.first, self.wanted, self._asked, self.shown = visit, 0, "", 0, visit.state.data
        self.look: Look | None = None
        self._turn = asyncio.Lock()

    def draw(self) -> None:
        self.source = tag("div")
        self.place = tag("div", aria_live="off")
        with self.source:
            _draw_source(self.visit)
        with self.place:
            if self.visit.state.data:
                tag("p", "Reading …", "note")
        self.visit.on_change(self.show)
        ui.timer(0.001, self.show, once=True)

    async def show(self) -> None:
        """Read the data and draw what is in them; what was there stays until that is known."""
        visit, failed = self.visit, ""
        self._asked += 1
        asked = self._asked
        try:
            look = await in_thread(LOOKS.look, visit.state, visit.folder) if visit.state.data else None
            drawn = None if look is None else await in_thread(_drawn, look)
        except ShoalError as error:
            look, failed = None, str(error)
        if asked != self._asked:  # something else was chosen meanwhile
            return
        self.look = look
        if self.visit.state.data != self.shown:
            self.source.clear()
            with self.source:
                _draw_source(visit)
            self.shown = visit.state.data
        part, counts = await self._part()
        self.place.clear()
        with self.place:
            if failed:
                tag("p", failed, "wrong", role="alert")
                if any(name in visit.state.settings for name in EXPRESSIONS):
                    _draw_rules(visit, None)
                _draw_forms(visit, None)
            elif look is not None and drawn is not None:
                self._draw_look(look, drawn, part, counts)

    def _draw_look(self, look: Look, drawn: _Drawn, part: list[Column], counts: dict[str, list[int]]) -> None:
        description = look.description
        tag("p", look.headline, "lead")
        rows = description.row + "s" if description.row != "series" else "series"
        columns = f"{len(description.columns):,}"
        facts([(rows, f"{description.rows:,}"), ("columns", columns), ("task", description.task_name)])
        _listed("What to look out for", description.warnings)
        _draw_signals(look, drawn.examples)
        self.columns = tag("section", aria_labelledby="columns")
        self._draw_columns(part, counts)
        _draw_rules(self.visit, look)
        _draw_correlations(*drawn.correlations)
        if description.classes:
            with tag("section"):
                tag("h2", "Classes")
                _draw_classes(description.classes)
        if description.notes:
            with tag("section"):
                tag("h2", "How it was read")
                with tag("ul", classes="notes"):
                    for note in description.notes:
                        tag("li", note)
        _draw_forms(self.visit, look)

    def _found(self) -> list[Column]:
        wanted = self.wanted.lower()
        return (
            [column for column in self.look.description.columns if wanted in column.name.lower()] if self.look else []
        )

    async def _part(self) -> tuple[list[Column], dict[str, list[int]]]:
        """Return the columns that are shown, and their histograms."""
        part, look = self._found()[self.first : self.first + AT_ONCE], self.look
        if look is None:
            return [], {}
        return part, await in_thread(
            lambda: {column.name: look.histogram(column.name) for column in part if _in_table(look, column)}
        )

    async def draw_columns(self) -> None:
        """Draw the table of columns anew."""
        part, counts = await self._part()
        self._draw_columns(part, counts)

    def _draw_columns(self, part: list[Column], counts: dict[str, list[int]]) -> None:
        assert self.look is not None
        self.columns.clear()
        with self.columns:
            tag("h2", "Columns", id="columns")
            if len(self.look.description.columns) > AT_ONCE:
                self._draw_pager(len(self._found()))
            units = self.look.description.units
            with scrolled("Columns"), tag("table", classes="columns-table"):
                with tag("thead"), tag("tr"):
                    for text in ("name", "role", "type", "distribution", "range", "unit", "missing", "distinct"):
                        tag("th", text, "n" if text in ("missing", "distinct") else "", scope="col")
                with tag("tbody"):
                    for column in part:
                        self._draw_column(column, counts.get(column.name, []), units.get(column.name, ""))

    def _draw_pager(self, found: int) -> None:
        last = min(self.first + AT_ONCE, found)

        async def turn(by: int) -> None:
            self.first = max(0, min(self.first + by, (max(found, 1) - 1) // AT_ONCE * AT_ONCE))
            await self.draw_columns()

        async def search(text: str) -> None:
            self.first, self.wanted = 0, text.strip()
            await self.draw_columns()

        with tag("div", classes="row pager"):
            field("find", "Find columns whose name holds", self.wanted, search)
            button("Previous", partial(turn, -AT_ONCE), disabled=self.first == 0, id="previous")
            button("Next", partial(turn, AT_ONCE), disabled=last >= found, id="next")
            tag("p", f"{self.first + (found > 0):,} to {last:,} of {found:,}", "note", role="status")

    def _draw_column(self, column: Column, counts: list[int], unit: str) -> None:
        with tag("tr", classes=f"role-{column.role}"):
            tag("th", column.name, scope="row", title=column.name)
            with tag("td"):
                self._draw_role(column)
            tag("td", str(column.kind))
            with tag("td"):
                if counts:
                    drawing(bars(counts), f"distribution of {column.name}")
            ends = [shown(end) for end in (column.low, column.high) if end is not None]
            tag("td", column.reason if column.role == "dropped" else " … ".join(dict.fromkeys(ends)), "range")
            tag("td", unit)
            tag("td", f"{column.missing:,}" if column.missing else "", "n")
            tag("td", f"{column.distinct:,}", "n")

    async def _change(self, name: str, role: str) -> bool:
        """Give a column another role, one after the other; return whether it has it now."""
        visit = self.visit
        async with self._turn:
            if self.look is None:
                return False
            try:
                changes = with_role(visit.state, self.look.description.columns, name, role)
            except ShoalError as error:
                visit.tell(str(error), wrong=True)
                return False
            return await visit.choose(visit.state.changed(**changes), partial(_look, visit))

    def _draw_role(self, column: Column) -> None:
        options = dict(CHOICES)
        if column.role not in options:
            options = {column.role: "left out by itself" if column.role == "dropped" else column.role, **options}
        slug = f"role-{self.look.description.columns.index(column)}" if self.look else "role"
        change = partial(self._change, column.name)
        choice(slug, f"Role of {column.name}", column.role, options, change, hidden_label=True)


def _look(visit: Visit, state: State) -> Look:
    return LOOKS.look(state, visit.folder)


def _in_table(look: Look, column: Column) -> bool:
    return column.name in look.dataset.table.columns


def _draw_source(visit: Visit) -> None:
    async def take(data: str) -> bool:
        return bool(data.strip()) and await visit.choose(
            State(data.strip(), run=visit.state.run), lambda state: state.source(visit.folder)
        )  # fmt: skip

    own = visit.state.data if visit.state.data not in BUILTIN else ""
    with tag("div", classes="drop") as zone:
        tag("input", None, "visually-hidden", id="file", type="file", aria_label="Choose a file with data")
        tag("label", "Choose a file", "button first", for_="file")
        tag("span", "or drop it anywhere on this page: CSV, Excel, Parquet, HDF5, FITS, ROOT, NetCDF, NumPy, …", "note")
    zone.on("file", lambda event: take(str(event.args)), js_handler="(event) => emit(event.detail)")
    with tag("div", classes="grid source"):
        sets = {"": "none", **{name: f"{name.replace('_', ' ')}: {each.task_name}" for name, each in BUILTIN.items()}}
        about = BUILTIN[visit.state.data].about if visit.state.data in BUILTIN else "Sets that come with shoal, to try."
        choice("builtin", "A built-in set", "" if own else visit.state.data, sets, take, help=about)
        files = _files(visit)
        if files:
            options = {"": "none", **{name: name for name in files}, **({own: own} if own else {})}
            choice("here", "A file in the working folder", own, options, take, help=f"Of {visit.folder}.")
        field(
            "path", "The path of a file, or a pattern", own, take, help="Such as runs/*.csv; or an SQLite database.",
            classes="code",
        )  # fmt: skip


def _files(visit: Visit) -> list[str]:
    """Return files of the working folder and of uploads that may hold data, the newest first."""
    found = []
    for folder in (visit.folder, visit.folder / UPLOADS):
        try:
            found += [entry for entry in folder.iterdir() if entry.is_file() and not entry.name.startswith(".")]
        except OSError:
            continue
    endings = (".toml", ".md", ".py", ".log", ".html", ".pdf", ".png", ".svg", ".ipynb")
    found = [entry for entry in found if entry.suffix.lower() not in endings][:500]
    found.sort(key=lambda entry: -entry.stat().st_mtime if entry.exists() else 0.0)
    return [entry.relative_to(visit.folder).as_posix() for entry in found[:60]]


def _listed(title: str, texts: tuple[str, ...]) -> None:
    if texts:
        with tag("div", classes="warnings"):
            tag("h2", title)
            with tag("ul"):
                for text in texts:
                    tag("li", text)


def _draw_rules(visit: Visit, look: Look | None) -> None:
    """Draw cuts and derived columns, with the rows that they leave, and where further ones are typed."""
    given = visit.state.settings

    async def add(name: str, text: str) -> bool:
        listed = visit.state.settings.get(name, ())
        state = visit.state.changed(**{name: (*(listed if isinstance(listed, tuple) else (listed,)), text.strip())})
        return bool(text.strip()) and await visit.choose(state, partial(_look, visit))

    async def remove(name: str, text: str) -> None:
        listed = tuple(each for each in visit.state.settings.get(name, ()) if each != text)
        await visit.choose(visit.state.changed(**{name: listed}), partial(_look, visit))

    with tag("section", aria_labelledby="rules"):
        tag("h2", "Cuts and derived columns", id="rules")
        cuts = {cut.condition: f"{in_words(cut)}." for cut in (look.dataset.row_cuts if look else ())}
        rows = [("derive", text, "a column now" if look else "") for text in given.get("derive", ())]
        rows += [("where", text, cuts.get(text, "")) for text in given.get("where", ())]
        for number, (name, text, what) in enumerate(rows):
            with tag("div", classes="rule"):
                tag("code", text)
                tag("span", what, "note")
                button("Remove", partial(remove, name, text), classes="quiet", id=f"remove-{number}",
                       aria_label=f"Remove {text}")  # fmt: skip
        with tag("div", classes="grid two"):
            field("where", "Keep rows that fulfil", "", partial(add, "where"), placeholder="pt > 20 and abs(eta) < 2.5",
                  help="Enter adds the cut; the rows that it leaves stand beside it.", classes="code")  # fmt: skip
            field("derive", "Compute a column", "", partial(add, "derive"), placeholder="pt = hypot(px, py)",
                  help="A name, an equals sign, an expression; the model keeps it and computes it again.",
                  classes="code")  # fmt: skip


def _draw_correlations(names: list[str], values: np.ndarray) -> None:
    if len(names) < 2:
        return
    pairs = sorted(
        (
            (abs(v), names[i], names[j], v)
            for i in range(len(names))
            for j in range(i)
            if (v := float(values[i, j])) == v
        ),
        reverse=True,
    )[:8]
    with tag("section", aria_labelledby="correlations"):
        tag("h2", "Correlations", id="correlations")
        tag("p", "Of the ranks (Spearman), so that a curve that only rises has 1. Blue rises together, orange against.",
            "note")  # fmt: skip
        with tag("div", classes="columns"):
            with scrolled("Matrix of correlations"):
                drawing(matrix(names, values), f"matrix of the correlations of {counted(len(names), 'column')}")
            table("Strongest", ("strongest", "and", "ρ"), ((a, b, f"{v:+.2f}") for _, a, b, v in pairs), right=(2,))


def _draw_classes(classes: dict[str, int]) -> None:
    most = max(classes.values(), default=1) or 1
    with tag("ul", classes="shares"):
        for name, rows in list(classes.items())[:30]:
            with tag("li"):
                tag("span", name, "class-name")
                tag("span", f"{rows:,}", "class-rows")
                tag("span", None, "bar", style=f"--share: {rows / most:.4f}", aria_hidden="true")


def _draw_signals(look: Look, chosen: list[tuple[int, str]]) -> None:
    signals = look.dataset.signals
    if signals is None:
        return
    with tag("section", aria_labelledby="examples"):
        tag("h2", f"Some of the {signals.kind}", id="examples")
        if look.description.signals is not None:
            for line in look.description.signals.lines():
                tag("p", line, "note tight")
        with tag("div", classes="examples"):
            for row, text in chosen:
                with tag("figure"):
                    _draw_signal(signals, row, text)
                    tag("figcaption", text)


def _draw_signal(signals: Signals, row: int, text: str) -> None:
    values = np.asarray(signals[np.array([row])].values)[0]
    if signals.kind == "images":
        tag("img", None, "pixels", src=pixels(values), alt=f"image {row + 1}: {text}")
        return
    length = len(values) if signals.lengths is None else int(signals.lengths[row])
    drawing(lines(np.asarray(values[:length], np.float64)), f"series {row + 1}: {text}")


def _examples(look: Look) -> list[tuple[int, str]]:
    """Return rows to show and what each is: some of each class, or evenly from all."""
    dataset = look.dataset
    strata, targets = dataset.strata(), dataset.targets
    if strata is None or not dataset.classes:
        rows = np.linspace(0, dataset.rows - 1, min(EXAMPLES, dataset.rows)).astype(int)
        named = targets[:1] if targets and targets[0] in dataset.table.columns else ()
        return [
            (int(row), f"{named[0]} = {shown(dataset.table[named[0]][int(row)])}" if named else f"{row + 1}")
            for row in rows
        ]
    each = max(1, EXAMPLES // len(dataset.classes))
    chosen = [
        (int(row), dataset.classes[k])
        for k in range(len(dataset.classes))
        for row in np.flatnonzero(strata == k)[:each]
    ]
    return chosen[: max(EXAMPLES, len(dataset.classes))][:24]


def _draw_forms(visit: Visit, look: Look | None) -> None:
    """Draw all other settings of data and split, folded."""
    for title, panel, without in (
        ("How the file is read, series and windows", DATA, (*_BY_CLICK, *EXPRESSIONS)),
        ("Split, preparation and test", SPLIT, ()),
    ):
        names = in_panel(panel, without)
        given = [name for name in names if name in visit.state.settings]
        with tag("details", classes="section", open=look is None or bool(given)):
            tag("summary", title + (f": {', '.join(given)}" if given else ""))
            form(visit, names)


PAGE = Page("data", "Data", build)
