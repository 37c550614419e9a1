"""The page: one file, offline, well formed, the same each time, and no name can become code."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from shoal.evaluation.cuts import Selection
from shoal.evaluation.record import Record
from shoal.evaluation.topics.baselines import BaselineScores
from shoal.evaluation.topics.best_network import BestMember
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.data import DataRecord
from shoal.evaluation.topics.overfitting import Overfitting
from shoal.evaluation.topics.processes import Processes
from shoal.evaluation.topics.reconstruction import ReconstructionRecord
from shoal.evaluation.topics.scores import PartScores
from shoal.evaluation.topics.split import SplitRecord
from shoal.evaluation.topics.verdict import Verdict
from shoal.evaluation.topics.working_points import WorkingPoints
from shoal.report import page_html, write_page, write_report
from shoal.report.blocks import Paragraph
from shoal.report.topics import reconstruction
from shoal.report.topics.baselines import models_table
from shoal.report.topics.candidates import hyperparameters, networks_table, population
from shoal.report.topics.data import MOST_COLUMNS, columns_table, facts
from shoal.report.topics.intervals import interval_methods
from shoal.report.topics.scores import parts_table
from shoal.report.topics.verdict import headline
from shoal.results import Interval
from shoal.search.results.importance import HyperparameterImportance

Maker = Callable[..., Record]
VOID = {"meta", "br", "link", "img", "input", "hr"}


class Reader(HTMLParser):
    """Checks that tags balance, and collects tags, ids, addresses and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.styles: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} has a handler {name}"
            if name == "id":
                self.ids.append(value or "")
            if name in ("href", "src", "xlink:href", "srcset", "action", "data"):
                self.addresses.append(value or "")
            if name == "style":
                self.styles.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.text.append(data)


def read(page: str) -> Reader:
    """Return what is in a page after checking that all its elements are closed."""
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        "iris",
        "regression",
        "single",
        "folds",
        "hostile",
        "images",
        "sizes",
        "series",
        "forecast",
        "labelled",
        "tracked",
        "measured",
    ],
)
def test_the_page_needs_nothing_else(cases: dict[str, Record], case: str, tmp_path: Path) -> None:
    path = write_report(cases[case], tmp_path)
    assert path == tmp_path / "report.html"
    reader = read(path.read_text(encoding="utf-8"))
    assert all(a.startswith(("#", "data:image/png")) for a in reader.addresses), reader.addresses
    assert not any(re.search(r"url\((?!#)|@import", s) for s in reader.styles)
    assert not {"script", "iframe", "object", "embed", "link", "img", "form"} & set(reader.tags)
    assert len(reader.ids) == len(set(reader.ids))
    inside = {a[1:] for a in reader.addresses if a.startswith("#")}
    assert inside <= set(reader.ids)
    text = " ".join(reader.text)
    assert "None" not in text
    assert not re.search(r"\bnan\b", text)


@pytest.mark.slow
def test_figures_and_page_are_the_same_bytes_each_time(record_of: Maker, tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_report(record_of(networks=6, kept=2, epochs=12), tmp_path / name)
    files = sorted(p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*.*"))
    assert {p.suffix for p in files} == {".html", ".pdf", ".svg", ".csv", ".safetensors"}
    for path in files:
        assert (tmp_path / "a" / path).read_bytes() == (tmp_path / "b" / path).read_bytes(), path


def test_names_never_become_markup(cases: dict[str, Record]) -> None:
    page = page_html(cases["hostile"], {})
    assert "<script" not in page
    assert "<img" not in page
    assert "49" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S).split("{{ 7*7 }}")[1][:20]
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_the_verdict_comes_first_and_the_parts_in_order(record_of: Maker) -> None:
    record = record_of(networks=4, kept=2, epochs=5)
    page = page_html(record, {})
    assert page.index(record[Verdict].text.replace(" %", "\u00a0%")) < page.index("<h2>")
    parts = ["Data", "Split", "Networks tried", "Learning curves", "Test rows by class"]
    parts += ["Baselines", "Overfitting", "Best network", "How to repeat it"]
    places = [page.index(f"<h2>{p}</h2>") for p in parts]
    assert places == sorted(places)
    for text in (
        record.provenance.command,
        record[DataRecord].sha256,
        'test rows were opened <span class="openings">once</span>',
        "4 candidates",
    ):
        assert text in page


def test_a_figure_that_was_not_drawn_leaves_no_hole(record_of: Maker) -> None:
    assert "<figure" not in page_html(record_of(networks=2, kept=1, epochs=3), {})


def test_a_page_needs_no_figures_folder(record_of: Maker, tmp_path: Path) -> None:
    write_page(record_of(networks=2, kept=1, epochs=3), tmp_path, {})
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_the_table_of_networks_holds_the_best_and_says_how_many_more(record_of: Maker) -> None:
    record = record_of(networks=50, kept=5, epochs=20)
    table = networks_table(record)
    assert len(table.rows) == 20
    assert table.note.startswith("30 more networks in log.sqlite")
    assert "batch size" not in table.note
    note = networks_table(record.having(dataclasses.replace(record[Candidates], space=()))).note
    assert "The same in all: batch size 32; epochs 20. The cross-fitted loss is" in note
    scores = sorted(n.score for n in record[Candidates].networks if np.isfinite(n.score))
    assert [row[2] for row in table.rows] == [f"{s:.3f}" if s >= 0.1 else f"{s:.4f}" for s in scores[:20]]
    assert [row[1] for row in table.rows[:6]] == ["●"] * 5 + [""]
    assert "learning rate" in table.header
    assert "batch size" not in table.header


def test_the_best_of_each_column_is_marked(record_of: Maker) -> None:
    record = record_of(networks=2, kept=1, epochs=3)
    test = {"accuracy": Interval(0.9, 0.8, 0.95), "log_loss": Interval(0.3, 0.2, 0.4)}
    simple = {"accuracy": Interval(0.95, 0.85, 0.99), "log_loss": Interval(float("nan"), 0.2, 0.4)}
    record = record.having(
        PartScores({"test": test}),
        dataclasses.replace(record[BaselineScores], scores={"logistic_regression": simple}),
    )
    rows = dict(models_table(record).rows)
    assert [c.best for c in rows["shoal's network"]] == [False, False]
    assert [c.best for c in rows["logistic regression"]] == [True, False]
    assert rows["logistic regression"][1].value == "–"


def test_scores_name_their_columns_where_a_phone_stacks_them(record_of: Maker) -> None:
    page = page_html(record_of(networks=2, kept=1, epochs=3), {})
    assert 'data-name="accuracy"><span class="value">' in page
    sheet = (files("shoal.report") / "templates" / "style.css").read_text(encoding="utf-8")
    assert ".scores td::before { content: attr(data-name)" in sheet


def test_wide_tables_of_columns_are_cut_and_say_so(record_of: Maker) -> None:
    record = record_of(networks=2, kept=1, epochs=3, features=tuple(f"x{i}" for i in range(500)))
    table = columns_table(record)
    assert len(table.rows) == MOST_COLUMNS
    assert table.rows[0][2] == "target"
    assert table.note.startswith("442 more columns")


def test_every_way_of_making_intervals_is_named(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("y",), networks=2, kept=1, epochs=3)
    methods = dict(interval_methods(record))
    assert "RMSE, MAE and R²" in methods
    assert "Wilson" in methods["coverage of the error bars"]


def test_one_target_gives_its_name_to_the_rmse(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("mass (kg)",), networks=2, kept=1, epochs=3)
    names = [name for name, _, _ in headline(record)]
    assert names[0] == "RMSE of mass [kg]"
    assert "95 % interval" in names[2]


def test_units_stand_in_tables(record_of: Maker) -> None:
    record = record_of(classes=(), targets=("mass (kg)", "load (kg)"), networks=2, kept=1, epochs=3)
    assert headline(record)[0][0] == "RMSE [kg]"
    assert parts_table(record).header == ("rows", "RMSE [kg]", "MAE [kg]", "R²")
    assert dict(facts(record))["target"] == "mass [kg], load [kg]"
    columns = columns_table(record)
    assert (columns.header[6], columns.rows[0][6]) == ("unit", "kg")
    mixed = record_of(classes=(), targets=("mass (kg)", "time (s)"), networks=2, kept=1, epochs=3)
    assert headline(mixed)[0][0] == "RMSE"
    plain = record_of(classes=(), targets=("y",), features=("x",), networks=2, kept=1, epochs=3)
    assert "unit" not in columns_table(plain).header


def test_a_figure_without_a_place_stands_at_the_end(record_of: Maker) -> None:
    page = page_html(record_of(networks=2, kept=1, epochs=3), {"calibration": "<svg></svg>", "novel": "<svg></svg>"})
    more = page[page.index('<section id="more">') :]
    assert 'id="figure-novel"' in more
    assert 'id="figure-calibration"' not in more
    assert '<section id="more">' not in page_html(record_of(networks=2, kept=1, epochs=3), {})


@pytest.mark.slow
def test_an_unlucky_run_without_kept_networks_still_has_a_page(record_of: Maker, tmp_path: Path) -> None:
    record = record_of(networks=3, kept=0, epochs=4)
    record = record.having(
        dataclasses.replace(record[BestMember], network=None),
        PartScores(),
        dataclasses.replace(record[BaselineScores], scores={}),
        dataclasses.replace(record[Candidates], hyperparameters=()),
    )
    read(write_report(record, tmp_path).read_text(encoding="utf-8"))


def test_hyperparameters_without_a_share_go_into_one_sentence(record_of: Maker) -> None:
    record = record_of(networks=3, kept=1, epochs=4)
    each = (("learning_rate", 0.4, " mattered most."), ("l2", 0.0, ": no influence."))
    importance = tuple(HyperparameterImportance(*one) for one in each)
    record = record.having(dataclasses.replace(record[Candidates], hyperparameters=importance))
    assert hyperparameters(record) == (("learning rate", 0.4, "learning rate mattered most."),)
    assert "No influence to be seen: L2 strength." in page_html(record, {})


def test_the_opening_leaves_out_what_is_listed_below_it(record_of: Maker) -> None:
    record = record_of(networks=2, kept=1, epochs=3)
    listed = f"{record[BaselineScores].sentence} {record[Overfitting].sentence} {record[Overfitting].advice}"
    page = page_html(record.having(Verdict("It works.", f"It works. {listed}")), {})
    assert '<p class="lead">It works.</p>' in page


# folds and repeats


def test_the_page_of_a_cross_validation_counts_candidates_and_says_how_they_were_trained(
    folded_record_of: Maker,
) -> None:
    record = folded_record_of(5, 2, networks=40, epochs=6)
    text = " ".join(" ".join(read(page_html(record, {})).text).split()).replace("\u00a0", " ")
    assert "after 4 candidates had been looked at" in text
    assert "trained 10 times (5 folds × 2 repeats), each time without one fold of the rows" in text
    assert "Best scores, lower is better: 1.45 ± 0.096 (candidate 0) and 2.45 ± 0.096 (candidate 1)." in text
    assert "out of fold (120 rows)" in text
    assert "the 2 kept ones were chosen by their scores out of fold" in text
    assert "the ensemble of 20 networks" in text
    assert dict(population(record)) == {
        "candidates": "4",
        "trained": "40",
        "kept": "20",
        "trained to the end": "40",
        "parameters each": "67 to 6,627",
    }


def test_the_table_of_candidates_has_mean_and_standard_error(folded_record_of: Maker) -> None:
    table = networks_table(folded_record_of(None, 3, networks=12, epochs=6))
    assert table.header[:6] == ("candidate", "kept", "cross-fitted loss", "standard error", "networks", "parameters")
    assert [row[:5] for row in table.rows[:3]] == [
        ("0", "●", "1.10", "± 0.058", "3"),
        ("1", "●", "2.10", "± 0.058", "3"),
        ("2", "", "3.10", "± 0.058", "3"),
    ]


def test_repeats_without_folds_speak_of_no_folds(folded_record_of: Maker) -> None:
    record = folded_record_of(None, 3, networks=12, epochs=6)
    text = " ".join(read(page_html(record, {})).text)
    assert "Each candidate was trained 3 times, with other seeds." in text
    assert not re.search(r"\bfolds?\b", text)


@pytest.mark.slow
def test_images_have_sections_and_facts_of_their_own(cases: dict[str, Record], tmp_path: Path) -> None:
    page = write_report(cases["images"], tmp_path).read_text(encoding="utf-8")
    reader = read(page)
    assert {"examples", "inside", "figure-example_images", "figure-filters", "figure-saliency"} <= set(reader.ids)
    assert "#examples" in reader.addresses
    data = dict(facts(cases["images"]))
    assert (data["images"], data["channels"], data["stored as"]) == ("8 × 8 pixels", "band 0", "uint8")
    assert "feature columns" not in data
    assert len(page) < 1_000_000


@pytest.mark.slow
def test_series_say_how_long_they_are(cases: dict[str, Record], tmp_path: Path) -> None:
    data = dict(facts(cases["series"]))
    assert (data["series"], data["channels"]) == ("up to 48 steps", "lead 1 and lead 2")
    reader = read(write_report(cases["series"], tmp_path).read_text(encoding="utf-8"))
    assert {"figure-example_series", "figure-hidden_states", "figure-saliency"} <= set(reader.ids)
    assert "figure-filters" not in reader.ids


def test_tables_have_no_such_sections(cases: dict[str, Record], tmp_path: Path) -> None:
    reader = read(write_report(cases["iris"], tmp_path).read_text(encoding="utf-8"))
    assert not {"examples", "inside"} & set(reader.ids)


@pytest.mark.slow
def test_autoencoders_have_sections_of_their_own(cases: dict[str, Record], tmp_path: Path) -> None:
    for case in ("autoencoder", "image_autoencoder", "series_autoencoder"):
        page = write_report(cases[case], tmp_path / case).read_text(encoding="utf-8")
        for anchor in ("reconstruction", "codes", "anomalies"):
            assert f'<section id="{anchor}">' in page
        assert '<section id="predictions">' not in page
        assert "<b>kind</b>" not in page
        assert ("The strangest test rows</caption>" in page) == (case == "autoencoder")
    data = dict(facts(cases["image_autoencoder"]))
    assert data["images"] == "12 × 12 pixels"
    assert data["bottleneck"] == "2 numbers"


def anomalies(record: Record) -> str:
    """Return the text of the section on anomalies, nothing where there is none."""
    shown = [section for section in reconstruction.sections(record) if section.anchor == "anomalies"]
    return " ".join(str(b.text) for section in shown for b in section.blocks if isinstance(b, Paragraph))


def test_the_sentence_on_anomalies_says_how_many_there_are(cases: dict[str, Record]) -> None:
    found = cases["autoencoder"][ReconstructionRecord]
    above = int((found.scores > found.threshold).sum())
    assert f"Of the 200 test rows {above} do" in anomalies(cases["autoencoder"])
    assert anomalies(cases["iris"]) == ""


def test_too_few_validation_rows_for_a_threshold_are_told(cases: dict[str, Record]) -> None:
    record = cases["autoencoder"]
    assert "24 validation rows are too few" in anomalies(record)
    many = dataclasses.replace(record[SplitRecord], rows={**record[SplitRecord].rows, "validation": 99})
    assert "too few" not in anomalies(record.having(many))
    often = dataclasses.replace(record[ReconstructionRecord], alarms=Interval(0.07, 0.03, 0.15, "wilson"))
    assert "more than was asked for" in anomalies(record.having(often))


def test_yields_put_a_selection_on_the_page(cases: dict[str, Record]) -> None:
    record = cases["events"]
    page = page_html(record, {"significance": "<svg></svg>"})
    assert '<a href="#selection">Selection</a>' in page
    assert "chosen on 300 validation rows by its Asimov significance" in page
    assert "On the test rows" in page
    assert "have negative weights" in page
    assert 'id="figure-significance"' in page
    assert 'href="#selection"' not in page_html(record.without(Selection, WorkingPoints, Processes), {})
