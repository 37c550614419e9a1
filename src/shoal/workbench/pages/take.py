"""Take: the model for other programs, figures, predictions, and what repeats all this."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from nicegui import ui

from shoal.errors import RunError, ShoalError
from shoal.runs.folder import RunFolder
from shoal.runs.listing import RunSummary, survey
from shoal.workbench.controls import button, choice, link, tag
from shoal.workbench.jobs import Status
from shoal.workbench.pages import Page
from shoal.workbench.state import State
from shoal.workbench.taking import FIGURES, FORMATS, TABLES
from shoal.workbench.threads import in_thread
from shoal.workbench.visit import Visit


async def build(visit: Visit) -> None:
    """Fill the page."""
    tag("h1", "Take")
    place = tag("div")

    async def show() -> None:
        summaries, _ = await in_thread(survey, visit.jobs.root)
        place.clear()
        with place:
            _draw(visit, summaries)

    visit.on_change(show)
    await show()


def _draw(visit: Visit, summaries: Sequence[RunSummary]) -> None:
    names = [summary.name for summary in reversed(summaries)]
    chosen = visit.state.run if visit.state.run in names else ""
    if visit.state.run and not chosen:
        _tell_why_not(visit)
    elif not names:
        with tag("p"):
            tag("span", "There is no finished run yet. ")
            link("Build networks and train them", visit.link("networks"))
    if names:
        options = {**({} if chosen else {"": "choose a run"}), **{name: name for name in names}}
        with tag("div", classes="grid"):
            choice("run", "Run", chosen, options, visit.look_at)
    if chosen:
        summary = next(each for each in summaries if each.name == chosen)
        if summary.score is not None:
            text = f"{summary.data}: {summary.score_name.replace('_', ' ')} {summary.score.value:.4g} {summary.unit} "
            tag("p", text + f"[{summary.score.low:.4g}, {summary.score.high:.4g}] on the test rows", "lead")
        _draw_model(chosen)
        _draw_predictions(chosen)
    if chosen:
        _draw_repeat(visit, State.of_run(RunFolder.open(visit.jobs.path(chosen))))
    elif visit.state.data:
        _draw_repeat(visit, visit.state)


def _tell_why_not(visit: Visit) -> None:
    try:
        job = visit.jobs.job(visit.state.run)
    except RunError as error:
        tag("p", str(error), "wrong", role="alert")
        return
    what = {Status.TRAINING: "is still training", Status.STOPPED: "was stopped", Status.FAILED: "failed"}
    tag("p", f"The run {job.name} {what.get(job.status, 'is damaged')}: {job.message}", "wrong", role="alert")


def _draw_model(name: str) -> None:
    with tag("section", aria_labelledby="model"):
        tag("h2", "The model", id="model")
        tag(
            "p",
            "Whole: preparation, networks, averaging, calibration, error bars; it checks itself by test rows.",
            "note",
        )
        with tag("ul", classes="takes"):
            for form, (_, title, what, _words) in FORMATS.items():
                _take(title, f"api/runs/{name}/model/{form}", what, f"take-{form}")
            _take(
                "The run", f"api/runs/{name}/archive", "its whole folder, which shoal.load reads elsewhere", "take-run"
            )
    with tag("section", aria_labelledby="figures"):
        tag("h2", "Figures and page", id="figures")
        with tag("ul", classes="takes"):
            for form in FIGURES:
                _take(
                    f"Figures, {form.upper()}",
                    f"api/runs/{name}/figures/{form}",
                    "with their numbers as CSV",
                    f"take-{form}",
                )
            with tag("li"):
                link("The page", f"api/runs/{name}/files/report.html", "button", target="_blank", id="take-page")
                tag("span", "one HTML file that needs nothing else", "note")


def _take(title: str, address: str, what: str, name: str) -> None:
    with tag("li"):
        link(title, address, "button", id=name, data_take=address)
        tag("span", what, "note")


def _draw_predictions(name: str) -> None:
    with tag("section", aria_labelledby="predictions"):
        tag("h2", "Predictions of new rows", id="predictions")
        tag("p", "Each row of a file gets its prediction with its error bar; all columns are kept.", "note")
        with tag("div", classes="row"):
            choice("table", "Written as", "csv", TABLES, lambda _: None)
        with tag("div", classes="drop") as zone:
            tag("input", None, "visually-hidden", id="file", type="file", aria_label="Choose a file with new rows")
            tag("label", "Choose a file", "button first", for_="file")
            tag("span", "or drop it anywhere on this page", "note")
        zone.props["data-predict"] = f"api/runs/{name}/predictions/"


def _draw_repeat(visit: Visit, state: State) -> None:
    with tag("section", aria_labelledby="repeat"):
        tag("h2", "Exactly this once more", id="repeat")
        try:
            command, script = state.command(), state.script()
        except ShoalError as error:
            tag("p", str(error), "wrong", role="alert")
            return
        tag(
            "p",
            f"Both are for the working folder, {visit.folder}. The same seed and cores give the same result.",
            "note",
        )
        texts = {"On the command line": ("command", command), "In Python": ("script", script)}
        for title, (name, text) in texts.items():
            tag("h3", title)
            _copied(name, text)
        tag("h3", "In this browser")
        tag("p", "A link that holds all that is chosen; it says the same to everyone who has the data.", "note")
        _copied("link", "")
        ui.run_javascript(
            "document.getElementById('link').textContent = "
            f"new URL({json.dumps(visit.link('data', state))}, document.baseURI).href"
        )
        if replace(visit.state, run="") != replace(state, run=""):

            async def back() -> None:
                if await visit.choose(state):
                    visit.tell("Data and settings are those of the run now.")

            button("Choose these settings again", back, id="again")


def _copied(name: str, text: str) -> None:
    with tag("div", classes="copied"):
        tag("pre", text, id=name, tabindex="0")
        tag(
            "button",
            "Copy",
            "button quiet",
            type="button",
            data_copy=name,
            id=f"copy-{name}",
            aria_label=f"Copy the {name}",
        )


PAGE = Page("take", "Take", build)
