"""Networks: a search space with its limits or one network by hand, and what training it will take."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

from nicegui import ui

from shoal.errors import ShoalError
from shoal.networks import Network
from shoal.resources import memory_text
from shoal.setting_panels import HYPERPARAMETERS, NETWORKS, RUN, SELECTION, described
from shoal.settings import default_in_words
from shoal.training.progress_words import duration
from shoal.workbench.controls import button, choice, drawing, facts, field, link, tag
from shoal.workbench.forms import ALTERNATIVES, form, in_panel
from shoal.workbench.layers import KINDS, moved, parameters, replaced, rows, svg_of
from shoal.workbench.pages import Page
from shoal.workbench.prospect import PROSPECTS, Prospect, network_for
from shoal.workbench.threads import in_thread
from shoal.workbench.visit import Visit

ALONE = ("hidden", "activation", "layers", "dropout", "kernel_initializer", "bottleneck", "feature_encoding")
"""Settings that say what networks are, beside which none can be built by hand."""
_FIRST = ("networks", "minutes", "search", "cv", "repeats", "keep")


async def build(visit: Visit) -> None:
    """Fill the page."""
    tag("h1", "Networks")
    if not visit.state.data:
        with tag("p"):
            tag("span", "No data are chosen yet. ")
            link("Choose some first", visit.link("data"))
        return
    _Page(visit).draw()


class _Page:
    """The page as it is drawn."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self._asked = visit, 0
        self.prospect: Prospect | None = None
        self.given_first = frozenset(visit.state.settings)  # no field moves while the page is open

    def draw(self) -> None:
        with tag("div", classes="row start"):
            self.train = button("Train", self.start, classes="first", id="train")
            tag("span", self.visit.state.data, "note")
        self.plan = tag("div", role="status", classes="plan")
        self.rest = tag("div")
        self.visit.on_change(self.show)
        self._draw_rest()
        ui.timer(0.001, self.ask, once=True)

    async def show(self) -> None:
        """Draw what is chosen, then what it will take."""
        self._draw_rest()
        await self.ask()

    async def ask(self) -> None:
        """Ask what a fit would do and show it, unless something else was chosen meanwhile."""
        self._asked += 1
        number, failed = self._asked, ""
        self._draw_plan("estimating …")
        try:
            self.prospect = await in_thread(PROSPECTS.of, self.visit.state, self.visit.folder)
        except ShoalError as error:
            self.prospect, failed = None, str(error)
        if number == self._asked:
            self._draw_plan(failed, wrong=bool(failed))
            self._hint()

    async def start(self) -> None:
        """Start training, and go to the page on which one watches it."""
        try:
            name = await in_thread(self.visit.jobs.start, self.visit.state)
        except ShoalError as error:
            self.visit.tell(str(error), wrong=True)
            return
        await self.visit.look_at(name)
        ui.navigate.to(self.visit.link("training"))

    def _draw_plan(self, text: str, *, wrong: bool = False) -> None:
        self.plan.clear()
        with self.plan:
            if wrong:
                tag("p", text, "wrong", role="alert")
            elif self.prospect is None:
                tag("p", text, "note")
            else:
                plan = self.prospect.plan
                told = {
                    "candidates": f"{plan.candidates:,}",
                    "networks": f"{plan.networks:,}",
                    "epochs of all": f"{plan.epochs:,}",
                    "engine": plan.engine,
                    "memory": memory_text(plan.memory),
                    "time": duration(plan.seconds),
                }
                facts(told.items())
                tag("p", text or "Time is right within a factor of two as a rule.", "note")

    def _hint(self) -> None:
        """Write beside each hyperparameter what will be tried."""
        parts = {} if self.prospect is None else dict(self.prospect.space.table())
        for name, element in self.hints.items():
            element.set_text(parts.get(name, ""))  # type: ignore[attr-defined]

    def _draw_rest(self) -> None:
        self.rest.clear()
        self.hints: dict[str, ui.element] = {}
        with self.rest:
            with tag("section", aria_labelledby="how-many"):
                tag("h2", "How many", id="how-many")
                form(self.visit, _FIRST)
            _Editor(self.visit).draw()
            self._draw_space()
            for title, panel, without in (
                ("More of the search", NETWORKS, (*_FIRST, "network")),
                ("A cut on the score", SELECTION, ()),
                ("The run", RUN, ()),
            ):
                names = in_panel(panel, without)
                given = [name for name in names if name in self.visit.state.settings]
                with tag("details", classes="section", open=bool(given)):
                    tag("summary", title + (f": {', '.join(given)}" if given else ""))
                    form(self.visit, names)

    def _draw_space(self) -> None:
        """Draw a line for each hyperparameter: what is typed, and what will be tried."""
        alone = ALONE if "network" in self.visit.state.settings else ()
        names = in_panel(HYPERPARAMETERS, alone)
        usual = {name: default_in_words(name).removeprefix("default: ") for name in names}
        first = [name for name in names if re.match("searched|chosen", usual[name]) or name in self.given_first]
        with tag("section", aria_labelledby="space"):
            tag("h2", "The space that is searched", id="space")
            tag("p", "What is left empty is chosen by shoal, as it says beside it. " + ALTERNATIVES, "note")
            with tag("div", classes="space"):
                for name in first:
                    self._draw_hyperparameter(name, "")
            with tag("details", classes="more"):
                tag("summary", "Others, which keep their defaults")
                with tag("div", classes="space"):
                    for name in names:
                        if name not in first:
                            self._draw_hyperparameter(name, usual[name])
        self._hint()

    def _draw_hyperparameter(self, name: str, usual: str) -> None:
        given = self.visit.state.settings.get(name, "")
        value = ", ".join(given) if isinstance(given, tuple) else given

        async def take(text: str) -> bool:
            several = isinstance(given, tuple) or name in ("metrics", "class_weight")
            parts = tuple(part.strip() for part in text.split(",") if part.strip())
            return await self.visit.change(**{name: parts if several else text.strip()})

        with tag("div", classes="line given" if value else "line", key=f"line-{name}"):
            field(f"set-{name}", name.replace("_", " "), value, take, title=described(name), placeholder=usual or None)
            self.hints[name] = tag("span", "", "tried")


class _Editor:
    """One network by hand: a row for each layer, the same as a text, and its drawing."""

    def __init__(self, visit: Visit) -> None:
        self.visit = visit
        given = visit.state.settings.get("network", "")
        self.text = given if isinstance(given, str) else " ".join(given)

    def draw(self) -> None:
        with tag("section", aria_labelledby="by-hand"):
            tag("h2", "One network by hand", id="by-hand")
            if not self.text:
                tag("p", "All members of the ensemble are then this network, from different starting weights.", "note")
                button("Build a network by hand", self.begin, id="build")
                return
            with tag("div", classes="columns editor"):
                with tag("div"):
                    self._draw_layers()
                self.picture = tag("div", classes="picture")
            ui.timer(0.001, self._draw_picture, once=True)

    async def begin(self) -> None:
        try:
            text = await in_thread(network_for, self.visit.state, self.visit.folder)
        except ShoalError as error:
            self.visit.tell(str(error), wrong=True)
            return
        await self.change(text)

    async def change(self, text: str) -> bool:
        """Take another text; one that is no network yet stands there all the same, with what is wrong."""
        cleared = dict.fromkeys(ALONE) if text else {}
        return await self.visit.change(network=text.strip() or None, **cleared)

    def _draw_layers(self) -> None:
        found, wrong = rows(self.text)
        with tag("ol", classes="layers", id="layers", aria_label="Layers") as listed:
            for place, row in enumerate(found):
                with tag("li", draggable="true" if place else None, data_place=place):
                    self._draw_layer(place, row.word, len(found))
                    tag("span", row.shape, "shape", title="shape behind the layer")
                    tag("span", row.parameters, "count", title="parameters")
        listed.on(
            "drop",
            lambda event: self.change(moved(self.text, int(event.args[0]), int(event.args[1]))),
            js_handler="(event) => shoal.dropped(event, emit)",
        )
        with tag("div", classes="row"):
            choice("add", "Add a layer before the last", "", {"": "…", **KINDS}, self._add)
            button("Remove the network", partial(self.change, ""), id="no-network")
        field("network", "The same as a text", self.text, self.change, classes="code",
              help="Inputs first, then a word for each layer: 8:relu, dropout:0.2, flatten, lstm:16.")  # fmt: skip
        if wrong:
            tag("p", wrong, "wrong", role="alert")
        else:
            tag("p", parameters(self.text), "total")

    def _draw_layer(self, place: int, word: str, count: int) -> None:
        async def take(text: str) -> bool:
            return await self.change(replaced(self.text, place, text.split()))

        with tag("div", classes="grow"):
            label = "inputs" if place == 0 else f"layer {place}"
            field(f"layer-{place}", label, word, take, hidden_label=True, classes="code")
        if place == 0:
            tag("span", "inputs", "note tools-of")
            return
        with tag("div", classes="tools-of"):
            for sign, to, what in (("↑", place - 1, "up"), ("↓", place + 1, "down")):
                button(sign, partial(self._move, place, to), classes="quiet small", id=f"{what}-{place}",
                       aria_label=f"Move {word} {what}", disabled=not 1 <= to < count)  # fmt: skip
            button("×", partial(self.change, replaced(self.text, place, [])), classes="quiet small",
                   id=f"drop-{place}", aria_label=f"Remove {word}", disabled=count <= 2)  # fmt: skip

    async def _move(self, place: int, to: int) -> None:
        await self.change(moved(self.text, place, to))

    async def _add(self, word: str) -> bool:
        words = self.text.split()
        return await self.change(" ".join([*words[:-1], word, *words[-1:]]))

    async def _draw_picture(self) -> None:
        try:
            svg: Any = await in_thread(svg_of, self.text)
        except ShoalError:
            return
        self.picture.clear()
        with self.picture:
            count = len(Network.parse(self.text).layers)
            drawing(re.sub(r"<title>.*?</title>", "", svg), f"drawing of the network with {count} layers", "network")


PAGE = Page("networks", "Networks", build)
