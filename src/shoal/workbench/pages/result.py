"""Result: what a finished run says, to be touched: networks, errors and the rows behind them, what if, other runs."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

from nicegui import ui
from nicegui.element import Element

from shoal.errors import ShoalError, counted
from shoal.report.words import label
from shoal.results import Interval, readable
from shoal.workbench import drawn, plots
from shoal.workbench.controls import button, choice, facts, link, table, tag
from shoal.workbench.jobs import Status
from shoal.workbench.pages import Page
from shoal.workbench.results import MOST_ROWS, RESULTS, Result
from shoal.workbench.threads import in_thread
from shoal.workbench.visit import Visit
from shoal.workbench.whatif import Answer, Contribution, Field

_STEPS = 200  # of a slider
_QUIET = 0.25  # seconds without a change before the parts are computed
_MEANINGS = (
    ("std", "the error to quote for a new measurement: spread of the networks and scatter of the data together, scaled "
     "so that it is as wide as the residuals on rows that trained no weight"),
    ("interval", "holds new measurements with the stated coverage (conformal); it need not be symmetric"),
    ("spread", "how far the networks disagree: what more data of this kind could remove; a part of std, not to be "
     "quoted alone"),
    ("set of classes", "the classes that together hold the truth with the stated coverage"),
    ("outside", "the row is unlike all rows of training: no error bar can be relied on there"),
    ("[low, high]", "behind a score: the 95 % interval that the number of test rows leaves"),
)  # fmt: skip


def build(visit: Visit) -> None:
    """Fill the page."""
    drawn.add_canvas()
    tag("h1", "Result")
    _Result(visit).draw()


class _Result:
    """The page of one visitor."""

    def __init__(self, visit: Visit) -> None:
        self.visit, self.name, self.part = visit, visit.state.run, "validation"

    def draw(self) -> None:
        self.place = tag("div")
        with self.place:
            tag("p", "Reading the run …", "note")
        self.visit.on_change(self.show)
        ui.timer(0.001, self.show, once=True)

    async def show(self) -> None:
        """Draw the run that is looked at, or the newest one that is finished."""
        runs = await in_thread(self.visit.jobs.all)
        finished = [job.name for job in runs if job.status is Status.FINISHED][:200]
        self.name = self.visit.state.run or (finished[0] if finished else "")
        self.place.clear()
        with self.place:
            if not self.name:
                tag("p", "No run is finished yet.", "lead")
                link("To the training", self.visit.link("training"), "button first")
                return
            with tag("div", classes="row runs"):
                choice("run", "Run", self.name, list(dict.fromkeys([self.name, *finished])), self.visit.look_at)
            self.body = tag("div")
        await self.guarded(self.body, self._draw_run, finished)

    async def guarded(self, place: Element, fill: Callable[..., Any], *arguments: Any) -> None:
        """Fill a place; where that fails, with the reason."""
        place.clear()
        try:
            with place:
                done = fill(*arguments)
                if done is not None:
                    await done
        except (ShoalError, OSError) as error:
            with place:
                tag("p", str(error), "wrong", role="alert")

    async def _draw_run(self, finished: Sequence[str]) -> None:
        self.result: Result = await in_thread(RESULTS.result, self.visit.jobs.path(self.name))
        ran, metrics = self.result.run, await in_thread(lambda: self.result.run.metrics)
        tag("p", ran.summary(), "lead")
        self._draw_scores(metrics)
        if ran.folder.report.is_file():
            link(
                "The page of the run",
                f"api/runs/{self.name}/files/report.html",
                "button",
                target="_blank",
                rel="noopener",
            )
        if ran.folder.targets:
            tag("p", "Each target has a run of its own; networks and curves below are those of all targets.", "note")
        for title, fill in (
            ("Networks", self._draw_networks),
            ("What if", self._draw_what_if),
            ("Rows", self._draw_rows),
        ):
            with tag("section"):
                tag("h2", title)
                place = tag("div")
            await self.guarded(place, fill)
        self._draw_meanings()
        self._draw_compare([name for name in finished if name != self.name])

    def _draw_scores(self, metrics: dict[str, Any]) -> None:
        if self.result.run.folder.test_sealed:
            with tag("div", classes="warnings"):
                tag("h2", "The test rows are sealed")
                tag(
                    "p", "Choose by the validation rows for as long as you like. Open the test rows once, when all is "
                    "chosen: from then on they have been seen, and each further choice flatters itself.",
                )  # fmt: skip
                self.opening = button("Open the test rows", self._ask_open, id="open-test")
        units = self.result.run.score_units
        rows = []
        parts = [part for part in ("test", "validation", "train") if metrics.get(part)]
        for name in dict.fromkeys(name for part in parts for name in metrics[part]):
            scores = [metrics[part].get(name) for part in parts]
            rows.append([label(name, units.get(name, "")), *["–" if s is None else _score(s) for s in scores]])
        with tag("details", open=True):
            tag("summary", "Scores")
            table("Scores with their 95 % intervals", ["", *[f"{part} rows" for part in parts]], rows)

    async def _ask_open(self) -> None:
        with ui.dialog() as dialog, tag("div", classes="dialog", role="alertdialog", aria_label="Open the test rows?"):
            tag("p", f"The test rows of {self.name} are opened for good. This takes as long as the end of the fit.")
            with tag("div", classes="row"):
                button("Open them", lambda: dialog.submit(True), classes="first", id="open-yes")
                button("Leave them sealed", lambda: dialog.submit(False))
        if await dialog:
            await self._open()

    async def _open(self) -> None:
        from shoal.after.unsealing import open_test

        self.visit.tell("Opening the test rows …")
        try:
            await in_thread(open_test, self.result.run.path)
        except (ShoalError, OSError) as error:
            self.visit.tell(str(error), wrong=True)
            return
        self.visit.tell("The test rows are open.")
        await self.show()

    # Networks.

    async def _draw_networks(self) -> None:
        content = await in_thread(lambda: plots.parallel(self.result.candidates, self.result.networks))
        self.curves = drawn.curves(self.name, self._choose, self._brushed_curves)
        if len(content["ids"]) > 1 and len(content["axes"]) > 1:
            tag("h3", "Hyperparameters that differ")
            tag("p", "Draw along an axis to keep only the networks within; their curves are shown above.", "note")
            self.parallel: Element | None = drawn.parallel(content, self._choose, self._brushed_parallel)
        else:
            self.parallel = None
        self.network = tag("div", aria_live="polite")

    def _choose(self, network: Any) -> None:
        numbers = [int(network)] if isinstance(network, int | float) else []
        for element in (self.curves, self.parallel):
            if element is not None:
                drawn.mark(element, "chosen", numbers)
        self.network.clear()
        if not numbers:
            return
        with self.network:
            try:
                told = self.result.network(numbers[0])
            except ShoalError as error:
                tag("p", str(error), "wrong")
                return
            tag("h3", f"Network {numbers[0]}")
            facts(told)

    def _brushed_parallel(self, networks: Any) -> None:
        drawn.mark(self.curves, "brushed", [int(n) for n in networks or []])

    def _brushed_curves(self, networks: Any) -> None:
        self.curves.props["brushed"] = ",".join(str(int(n)) for n in networks or [])

    # What if.

    async def _draw_what_if(self) -> None:
        what_if = await in_thread(lambda: self.result.what_if)
        fields = await in_thread(lambda: what_if.fields)
        self.values: dict[str, Any] = {field.name: field.value for field in fields}
        self.waiting: Any = None
        self.answering = False
        with tag("div", classes="columns"):
            with tag("div", classes="grid", id="what-if"):
                for number, field in enumerate(fields[:60]):
                    _draw_field(number, field, self._set)
            with tag("div"):
                self.answer = tag("div", aria_live="polite", id="answer")
                self.parts = tag("div", id="parts")
        if len(fields) > 60:
            tag("p", f"{len(fields) - 60} more columns are held at their usual values.", "note")
        await self._answer()
        await self._show_parts()

    async def _set(self, name: str, value: Any) -> None:
        self.values[name] = value
        await self._answer()
        if self.waiting is not None:
            self.waiting.cancel()
        with self.parts:
            self.waiting = ui.timer(_QUIET, self._show_parts, once=True)

    async def _answer(self) -> None:
        """Show what the ensemble says; of what is set meanwhile, the last."""
        if self.answering:
            return
        values: dict[str, Any] | None = None
        self.answering = True
        try:
            while values != self.values and not self.answer.is_deleted:
                values = dict(self.values)
                _draw_answer(self.answer, await in_thread(self.result.what_if.answer, values))
        finally:
            self.answering = False

    async def _show_parts(self) -> None:
        values = dict(self.values)
        output, parts = await in_thread(self.result.what_if.parts, values)
        if values == self.values and not self.parts.is_deleted:
            _draw_parts(self.parts, output, parts)

    # Rows.

    async def _draw_rows(self) -> None:
        if self.result.run.reconstructs:
            tag("p", "The run reconstructs its rows; there are no errors of a target.", "note")
            return
        parts = {"validation": "validation rows", "test": "test rows"}
        with tag("div", classes="row runs"):
            choice("part", "Rows of", self.part, parts, self._other_part)
        self.errors = tag("div")
        self.rows = tag("div", aria_live="polite", id="rows")
        await self.guarded(self.errors, self._draw_errors)

    async def _other_part(self, part: str) -> None:
        self.part = part
        self.rows.clear()
        await self.guarded(self.errors, self._draw_errors)

    async def _draw_errors(self) -> None:
        result = self.result
        scored = await in_thread(result.scored, self.part)
        if result.classes:
            counts = await in_thread(result.confusion, self.part)
            tag(
                "p",
                "Each row is a true class, each column what it was taken for. Choose a cell to see its rows.",
                "note",
            )
            self._draw_confusion(counts.tolist())
            return
        truth, guess = (v.reshape(len(scored.rows), -1) for v in (scored.truth, scored.guess))
        for number, name in enumerate(result.run.metrics["target"][:4]):
            column = min(number, guess.shape[1] - 1)
            content = plots.residuals(truth[:, column], guess[:, column], scored.rows, str(name))
            drawn.plot(content, self._one_row, self._some_rows)

    def _draw_confusion(self, counts: list[list[int]]) -> None:
        names, most = self.result.classes, max(1, max(map(max, counts)))
        with (
            tag("div", classes="scroll", tabindex="0", role="region", aria_label="Confusion matrix"),
            tag("table", classes="confusion"),
        ):
            with tag("thead"), tag("tr"):
                tag("th", "true \\ taken for", scope="col")
                for name in names:
                    tag("th", name, "n", scope="col")
            with tag("tbody"):
                for i, line in enumerate(counts):
                    with tag("tr"):
                        tag("th", names[i], scope="row")
                        for j, number in enumerate(line):
                            shade = round(100 * math.sqrt(number / most) * 0.45)
                            colour = "blue" if i == j else "vermilion"
                            style = f"background: color-mix(in srgb, var(--{colour}) {shade}%, var(--paper))"
                            with tag("td", classes="n", style=style):
                                words = f"{number} rows of {names[i]} taken for {names[j]}"
                                button(str(number), partial(self._cell, i, j), classes="quiet", aria_label=words)

    async def _cell(self, true: int, taken: int) -> None:
        places = await in_thread(self.result.places_of_cell, self.part, true, taken)
        title = f"{self.result.classes[true]} taken for {self.result.classes[taken]}"
        await self._show_rows(title, places.tolist())

    async def _one_row(self, place: Any) -> None:
        if place is not None:
            await self._show_rows("One row", [int(place)])

    async def _some_rows(self, places: Any) -> None:
        await self._show_rows("Rows in the rectangle", [int(place) for place in places or []])

    async def _show_rows(self, title: str, places: Sequence[int]) -> None:
        await self.guarded(self.rows, self._fill_rows, title, places)

    async def _fill_rows(self, title: str, places: Sequence[int]) -> None:
        few = f", the first {MOST_ROWS} are shown" if len(places) > MOST_ROWS else ""
        tag("h3", f"{title}: {counted(len(places), 'row')}{few}")
        if places:
            heads, lines = await in_thread(self.result.table, self.part, places)
            table(title, heads, lines)

    # What the numbers mean, and other runs.

    def _draw_meanings(self) -> None:
        with tag("section"), tag("details"):
            tag("summary", "What the error bars say")
            with tag("dl", classes="meanings"):
                for name, meaning in _MEANINGS:
                    tag("dt", name)
                    tag("dd", meaning)

    def _draw_compare(self, others: Sequence[str]) -> None:
        if not others:
            return
        with tag("section"):
            tag("h2", "Beside another run")
            tag(
                "p",
                "Runs are compared in pairs on the test rows that they have in common. This is one more look at them.",
                "note",
            )
            with tag("div", classes="row"):
                chosen = {"name": others[0]}
                choice("other", "Other run", others[0], list(others), lambda value: chosen.update(name=value))
                button("Compare", lambda: self._compare(chosen["name"]), id="compare")
            self.comparison = tag("div", aria_live="polite")

    async def _compare(self, other: str) -> None:
        await self.guarded(self.comparison, self._fill_comparison, other)

    async def _fill_comparison(self, other: str) -> None:
        from shoal.after.comparing import compare

        comparison = await in_thread(compare, self.result.run, self.visit.jobs.path(other))
        units, metrics = self.result.run.score_units, list(next(iter(comparison.scores.values())))
        heads = ["", *[label(name, units.get(name, "")) for name in metrics]]
        rows = [[name, *[_score(scores[m]) for m in metrics]] for name, scores in comparison.scores.items()]
        rows += [
            [f"{pair.name} less {self.name}", *[_score(pair.differences[m]) for m in metrics]]
            for pair in comparison.pairs
        ]
        table(f"Scores on {comparison.rows} test rows", heads, rows)
        for sentence in comparison.sentences:
            tag("p", sentence)
        if comparison.looks is not None and comparison.looks.sentence:
            tag("p", comparison.looks.sentence, "note")


def _score(score: Any) -> str:
    interval = score if isinstance(score, Interval) else Interval.of(score)
    return str(interval)


def _draw_field(number: int, field: Field, on_set: Callable[[str, Any], Awaitable[None]]) -> None:
    """Draw the controls of a column: a list, or a slider beside a number."""
    name, truth = f"w-{number}", field.kind == "boolean"

    def take(level: str) -> Awaitable[None]:
        return on_set(field.name, level == "true" if truth else level)

    if field.levels:
        choice(name, field.name, str(field.value).lower() if truth else field.value, field.levels, take)
        return
    with tag("div", classes="field"):
        low, high, step = _limits(field)
        room = math.ceil(0.25 * (high - low) / step) * step
        ends = {
            "low": readable_number(low - room, step),
            "high": readable_number(high + room, step),
            "step": f"{step:g}",
        }
        value = readable_number(field.value, step)
        drawn.slider(name, field.name, value, lambda number: on_set(field.name, number), **ends)


def _limits(field: Field) -> tuple[float, float, float]:
    """Return the ends of a slider at round numbers, and its step."""
    step = 10 ** math.floor(math.log10((field.high - field.low) / _STEPS))
    return math.floor(field.low / step) * step, math.ceil(field.high / step) * step, step


def readable_number(value: float, step: float) -> str:
    """Return a number in as many digits as a step of a slider has.

    Example:
        >>> readable_number(5.80000001, 0.01)
        '5.8'
    """
    return f"{value:.{max(0, -math.floor(math.log10(step)))}f}".rstrip("0").rstrip(".") if step < 1 else f"{value:.0f}"


def _draw_answer(place: Element, answer: Answer) -> None:
    place.clear()
    with place:
        if answer.outside:
            tag(
                "p",
                "Outside: this row is unlike all rows of training; do not rely on the error bar.",
                "wrong",
                role="alert",
            )
        (name, value), *rest = answer.lines
        tag("p", name, "kicker")
        tag("p", value, "big")
        facts(rest)
        for name, share in answer.shares[:8]:
            _draw_share(name, share, f"{100 * share:.1f} %")


def _draw_parts(place: Element, output: str, parts: Sequence[Contribution]) -> None:
    place.clear()
    most = max((abs(part.part) for part in parts), default=0.0) or 1.0
    with place:
        tag("h3", f"What each column adds to {output}, against a usual row")
        for part in parts[:12]:
            error = f" ± {readable(part.spread, 2)}" if math.isfinite(part.spread) else ""
            _draw_share(f"{part.column} = {part.value}", part.part / most, f"{readable(part.part)}{error}")


def _draw_share(name: str, share: float, text: str) -> None:
    with tag("div", classes="share"):
        tag("span", name)
        tag("span", classes="bar minus" if share < 0 else "bar", style=f"--share: {abs(share):.4f}")
        tag("span", text, "n")


PAGE = Page("result", "Result", build)
