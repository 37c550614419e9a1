"""The page of a run: one HTML file that needs nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.best_network import BestMember
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.error_bars import ErrorBars
from shoal.evaluation.topics.examples import SignalRecord
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.predictions import TestRows
from shoal.evaluation.topics.pulls import MeasuredRecord
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.split import SplitRecord
from shoal.evaluation.topics.verdict import Verdict
from shoal.report import tables, words
from shoal.report.anomalies import anomalies, strangest_rows
from shoal.report.error_bars import error_bars, error_bars_table, error_bars_title
from shoal.report.errors import measured_table, replicas_text
from shoal.report.explanation import importance_on_page
from shoal.report.figures import figure_numbers
from shoal.report.overtraining import overtraining_of
from shoal.report.prose import interval_methods, kept_scores, sections, training_of_a_candidate
from shoal.report.selection import selection_of
from shoal.runs.page_file import times
from shoal.search.results.optimism import Optimism
from shoal.search.results.pareto import ParetoFront

if TYPE_CHECKING:
    from jinja2 import Template

FORMAT = 1


def page_html(record: Record, figures: Mapping[str, str]) -> str:
    """Return the page as text.

    Args:
        record: the finished run.
        figures: name → `<svg>` element, as `write_figures` returns them; missing ones are left out.
    """
    captions = {name: figure.numbers.caption for name, figure in figure_numbers(record).items()}
    return _template().render(
        record=record,
        data=record[DataRecord],
        split=record[SplitRecord],
        candidates=record[Candidates].ranked,
        kept=record[Candidates].kept,
        hyperparameters_said=record[Candidates].hyperparameters,
        optimism=record.get(Optimism),
        pareto=record.get(ParetoFront),
        has_error_bars=record.get(ErrorBars) is not None,
        has_spread=record[TestRows].std is not None,
        pulls=record.get(MeasuredRecord),
        reconstruction=record.get(ReconstructionRecord),
        signals=record.get(SignalRecord),
        beaten=record[BaselineScores],
        overfitting=record[Overfitting],
        format=FORMAT,
        style=_text("style.css"),
        sections=sections(record),
        figure=_Figures(figures, captions),
        opening=record[Verdict].opening,
        openings=times(record[SplitRecord].test_openings),
        training_of_a_candidate=training_of_a_candidate(record),
        kept_scores=kept_scores(record),
        headline=tables.headline(record),
        facts_of_data=tables.data_facts(record),
        hyperparameters=tables.hyperparameters(record),
        idle=tables.idle_hyperparameters(record),
        columns=tables.columns(record),
        networks=tables.networks(record),
        networks_title=_networks_title(record),
        population=tables.population(record),
        scores=tables.scores(record),
        models=tables.models(record),
        settings=tables.settings(record),
        anomalies=anomalies(record),
        error_bars=error_bars(record),
        error_bars_table=error_bars_table(record),
        error_bars_title=error_bars_title(record),
        overtraining=overtraining_of(record),
        selection=selection_of(record),
        measured=measured_table(record),
        replicas=replicas_text(record),
        strangest=strangest_rows(record),
        importance=importance_on_page(record),
        space=tables.search_space(record),
        times=tables.times(record),
        methods=interval_methods(record),
        summary=_summary(record[BestMember].network),
    )


def write_page(record: Record, folder: Path, figures: Mapping[str, str]) -> Path:
    """Write `report.html` into a run folder.

    Args:
        record: the finished run.
        folder: the run folder.
        figures: what `write_figures` returned.

    Returns:
        The path of the page.

    Raises:
        RunError: the file cannot be written.
    """
    from shoal.runs.writing import write_atomically

    return write_atomically(Path(folder) / "report.html", page_html(record, figures))


class _Figures:
    """Gives the template a figure with its caption, or nothing; and at the end those that it did not ask for."""

    def __init__(self, elements: Mapping[str, str], captions: Mapping[str, str]) -> None:
        self._elements = elements
        self._captions = captions
        self._left = list(elements)

    def __call__(self, name: str) -> dict[str, Any] | None:
        from markupsafe import Markup

        if name not in self._elements:
            return None
        self._left = [other for other in self._left if other != name]
        # The elements are shoal's own drawing; Matplotlib escapes the names in them.
        return {"name": name, "svg": Markup(self._elements[name]), "caption": self._captions.get(name, "")}

    def left(self) -> list[dict[str, Any] | None]:
        """Return the figures for which the template has no place of their own."""
        return [self(name) for name in self._left]


def _networks_title(record: Record) -> str:
    what = "network" if record[Candidates].networks_each == 1 else "candidate"
    return (
        f"The {what}"
        if len(record[Candidates].ranked) == 1
        else f"The best {what}s, by the score that they are chosen by"
    )


def _summary(network: Any) -> str:
    return str(network.summary()) if hasattr(network, "summary") else ""


def _text(name: str) -> str:
    return (files("shoal.report") / "templates" / name).read_text(encoding="utf-8")


def _unbroken(value: Any) -> Any:
    # "95 %" must not break between the number and its sign.
    return re.sub(r"(?<=\d) (?=%|×)", "\u00a0", value) if type(value) is str else value


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import DictLoader, Environment, StrictUndefined

    pages = {name: _text(name) for name in ("page.html", "parts.html")}
    environment = Environment(
        loader=DictLoader(pages),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_unbroken,
    )
    environment.filters.update(
        number=words.number,
        integer=words.integer,
        interval=words.interval,
        sentence=words.sentence,
        label=words.label,
        seconds=words.seconds,
    )
    return environment.get_template("page.html")
