"""What every topic of a run must bear, those that will be added included, and that one is added by two files."""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import json
import sqlite3
import sys
import typing
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
import shoal.evaluation.topics
import shoal.report.topics
from shoal.evaluation.record import Record
from shoal.evaluation.topics import topics as measured_topics
from shoal.report.blocks import Section, names_of_figures
from shoal.report.figures import FIGURES
from shoal.report.page import html_of, page_html
from shoal.report.topics import sections
from shoal.report.topics import topics as shown_topics
from shoal.runs.documents import json_text, plain
from shoal.runs.log import write_log
from shoal.runs.metrics_file import metrics_dict

MEASURED, SHOWN = sorted(measured_topics()), sorted(shown_topics())
ROOMS = (shoal.evaluation.topics, shoal.report.topics)


@pytest.fixture(scope="module")
def cases() -> dict[str, Record]:
    """The made-up records of the tests of the report, with hostile and long names, of every kind of data."""
    path = Path(__file__).parent / "report" / "conftest.py"
    spec = importlib.util.spec_from_file_location("made_up_records", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, Record] = module.make_cases()
    return made


def is_optional(name: str) -> bool:
    """Return whether a topic does not apply to some runs."""
    answer = typing.get_type_hints(measured_topics()[name].measure)["return"]
    return type(None) in typing.get_args(answer)


def keys(value: Any) -> Any:
    """Return what a document has under which keys, without its numbers and texts."""
    value = value.tolist() if isinstance(value, np.ndarray) else value
    if isinstance(value, Mapping):
        return {str(key): keys(part) for key, part in value.items()}
    return [keys(part) for part in value] if isinstance(value, (list, tuple)) else None


def joined(document: dict[str, Any], more: dict[str, Any]) -> bool:
    """Return whether a document holds all keys of another."""
    return all(
        key in document and (not isinstance(part, dict) or joined(document[key], part)) for key, part in more.items()
    )


# what is measured


@pytest.mark.parametrize("name", MEASURED)
def test_the_record_of_a_topic_is_frozen_and_its_alone(name: str) -> None:
    topic = measured_topics()[name]
    assert dataclasses.is_dataclass(topic.record)
    assert topic.record.__dataclass_params__.frozen  # type: ignore[attr-defined]
    assert [other for other, one in measured_topics().items() if one.record is topic.record] == [name]
    assert [other for other, one in measured_topics().items() if one.place == topic.place] == [name]
    assert topic.record.__doc__


@pytest.mark.parametrize("name", MEASURED)
def test_the_numbers_of_a_topic_go_through_json(cases: dict[str, Record], name: str) -> None:
    topic = measured_topics()[name]
    documents = [dict(topic.absent)]
    for record in cases.values():
        if record.get(topic.record) is not None:
            documents.append(topic.numbers(record))
            assert joined(metrics_dict(record), plain(documents[-1]))
    for document in documents:
        checked = plain(document)
        again = json.loads(json_text(checked))
        assert again == checked
        assert keys(again) == keys(document)


@pytest.mark.parametrize("name", MEASURED)
def test_the_rows_of_a_topic_fit_the_columns_of_the_log(cases: dict[str, Record], name: str) -> None:
    import polars as pl

    topic = measured_topics()[name]
    for record in cases.values():
        for table in [] if record.get(topic.record) is None else topic.tables(record):
            names = [column for column, _, _ in table.columns]
            assert len(set(names)) == len(names)
            assert set(table.key.replace(" ", "").split(",")) <= {"", *names}
            assert all(hasattr(pl, kind) for _, _, kind in table.columns)
            assert {len(row) for row in table.rows} <= {len(names)}


@pytest.mark.parametrize("name", [name for name in MEASURED if is_optional(name)])
def test_a_run_without_an_optional_topic_is_written_and_shown(
    cases: dict[str, Record], name: str, tmp_path: Path
) -> None:
    topic = measured_topics()[name]
    having = [case for case, record in cases.items() if record.get(topic.record) is not None]
    assert having, "no made-up record has this topic"
    record = cases[having[0]].without(topic.record)
    assert joined(metrics_dict(record), plain(dict(topic.absent)))
    assert write_log(tmp_path / "log.sqlite", record).is_file()
    if name in shown_topics():
        assert list(shown_topics()[name](record)) == []


# what is shown


class Balance(HTMLParser):
    """Checks that elements are closed, and collects tags."""

    VOID = ("meta", "br")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not any(name.startswith("on") for name, _ in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_what_is_shown_is_measured_or_tells_how_a_run_was_made() -> None:
    assert set(SHOWN) - set(MEASURED) == {"intervals", "repeat"}


@pytest.mark.parametrize("name", SHOWN)
def test_the_sections_of_a_topic_are_plain_data_that_render(cases: dict[str, Record], name: str) -> None:
    for record in cases.values():
        if name in MEASURED and record.get(measured_topics()[name].record) is None:
            continue  # as of a run whose targets have runs of their own
        shown = list(shown_topics()[name](record))
        assert len({section.anchor for section in shown}) == len(shown)
        for section in shown:
            assert isinstance(section, Section)
            assert len(section.title) <= 16
            assert len(section.heading) <= 40
            assert section.blocks == tuple(section.blocks)
            figures = list(names_of_figures(section.blocks))
            assert len(set(figures)) == len(figures)
            assert set(figures) <= set(FIGURES)
            page = html_of("x", [section], dict.fromkeys(figures, "<svg></svg>"), {})
            assert not {"script", "img", "iframe"} & Balance(page).tags
            assert page.count("<svg>") == len(figures)


def test_anchors_are_unique_and_every_figure_has_one_place(cases: dict[str, Record]) -> None:
    placed = set()
    for record in cases.values():
        shown = sections(record)
        anchors = [section.anchor for section in shown]
        assert len(set(anchors)) == len(anchors)
        assert [section.place for section in shown] == sorted(section.place for section in shown)
        assert not shown[0].heading
        assert all(section.heading and section.title for section in shown[1:])
        figures = [name for section in shown for name in names_of_figures(section.blocks)]
        assert len(set(figures)) == len(figures)
        placed |= set(figures)
    assert placed == set(FIGURES)


def test_places_of_figures_are_their_own() -> None:
    places = [module.PLACE for module in FIGURES.values()]
    assert places == sorted(set(places))


# a topic of our own


MEASURED_WEATHER = '''
from dataclasses import dataclass

from shoal.evaluation.topics.base import LogTable, Topic


@dataclass(frozen=True)
class Weather:
    """The sky over so many test rows."""

    sky: str
    rows: int


def measure(evaluation):
    return Weather("<clear>", len(evaluation.test.truth))


def numbers(record):
    weather = record[Weather]
    return {"weather": {"sky": weather.sky}, "data": {"rows_in_the_sun": weather.rows}}


def tables(record):
    yield LogTable("weather", (("sky", "TEXT NOT NULL", "String"), ("rows", "INTEGER", "Int64")), [("<clear>", 30)])


TOPIC = Topic(1000, Weather, measure, numbers, tables)
'''

SHOWN_WEATHER = """
from shoal.evaluation.topics.weather import Weather
from shoal.report.blocks import Facts, Section


def sections(record):
    weather = record.get(Weather)
    if weather is not None:
        yield Section("weather", 15, (Facts((("sky", weather.sky),)),), "Weather", "The weather")
"""


@pytest.fixture
def weather(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A topic in two files; no file of shoal knows of it."""
    for room, text in zip(ROOMS, (MEASURED_WEATHER, SHOWN_WEATHER), strict=True):
        folder = tmp_path / room.__name__
        folder.mkdir()
        (folder / "weather.py").write_text(text, encoding="utf-8")
        monkeypatch.setattr(room, "__path__", [*room.__path__, str(folder)])
        room.topics.cache_clear()
    yield
    for room in ROOMS:
        room.topics.cache_clear()
        sys.modules.pop(f"{room.__name__}.weather", None)
        vars(room).pop("weather", None)


@pytest.mark.slow
@pytest.mark.usefixtures("weather")
def test_two_files_add_a_topic(tmp_path: Path, tiny: dict[str, Any]) -> None:
    run = shoal.fit("iris", out=str(tmp_path / "run"), **tiny)
    assert run.metrics["weather"] == {"sky": "<clear>"}
    assert run.metrics["data"]["rows_in_the_sun"] == 30
    assert run.metrics["data"]["name"] == "iris"
    page = (Path(run.path) / "report.html").read_text(encoding="utf-8")
    assert '<a href="#weather">Weather</a>' in page
    assert "<dt>sky</dt><dd>&lt;clear&gt;</dd>" in page
    assert page.index('id="data"') < page.index('id="weather"') < page.index('id="split"')
    with sqlite3.connect(Path(run.path) / "log.sqlite") as connection:
        assert connection.execute("SELECT * FROM weather").fetchall() == [("<clear>", 30)]
    connection.close()


def test_the_topic_is_gone_again(cases: dict[str, Record]) -> None:
    assert "weather" not in measured_topics()
    assert "weather" not in page_html(cases["iris"], {})
