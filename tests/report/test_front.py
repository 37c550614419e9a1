"""The figure of score against number of parameters, and the sentence on the page."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shoal.evaluation.record import Record
from shoal.evaluation.topics.candidates import Candidates
from shoal.evaluation.topics.pareto import front_of
from shoal.report.figures import figure_numbers, write_figures
from shoal.report.figures.front import ScoreBySize
from shoal.report.page import page_html
from shoal.results import Interval
from shoal.search.results.importance import HyperparameterImportance
from shoal.search.results.optimism import Optimism
from shoal.search.results.pareto import ParetoFront

Maker = Callable[..., Record]


def counted(record: Record, noise: float = 0.05) -> Record:
    optimism = Optimism(60, 0.1, noise, Interval(0.1, 0.05, 0.15))
    front = front_of(record[Candidates], noise)
    return record.having(optimism, *([] if front is None else [front]))


def shown_of(record: Record) -> ScoreBySize:
    shown = figure_numbers(record)["front"].numbers
    assert isinstance(shown, ScoreBySize)
    return shown


@pytest.mark.slow
def test_the_numbers_are_those_of_all_candidates(record_of: Maker, tmp_path: Path) -> None:
    record = counted(record_of(networks=60, kept=5))
    shown = shown_of(record)
    table = shown.table()
    assert len(table["score"]) == sum(np.isfinite(c.score) for c in record[Candidates].ranked)
    assert table["kept"].sum() == 5
    assert table["smallest_as_good"].sum() == 1
    at = int(np.argmax(table["smallest_as_good"]))
    assert table["on_the_front"][at]
    good = table["score"] <= table["score"].min() + 0.05 * 2**0.5
    assert table["parameters"][at] == table["parameters"][good].min()
    assert record.get(ParetoFront) is not None
    assert record.get(ParetoFront).sentence in shown.caption
    drawn = write_figures(record, tmp_path)
    assert record.get(ParetoFront).sentence in page_html(record, drawn)
    head = (tmp_path / "figures" / "front.csv").read_text().splitlines()[0]
    assert head.startswith("candidate,parameters,score,standard_error,kept")


def test_folds_are_means_over_networks(folded_record_of: Maker) -> None:
    assert "(the mean over 6 networks)" in shown_of(counted(folded_record_of(3, 2, networks=24, kept=12))).caption


def test_parameters_are_shown_once(record_of: Maker) -> None:
    record, dropout = record_of(networks=24, kept=3), HyperparameterImportance("dropout", 0.5, "")
    plain = record.having(dataclasses.replace(record[Candidates], hyperparameters=(dropout,)))
    names = [[p.name for p in figure_numbers(r)["networks_tried"].numbers.panels] for r in (plain, counted(plain))]
    assert names == [["dropout", "parameters"], ["dropout"]]
    nothing = counted(record.having(dataclasses.replace(record[Candidates], hyperparameters=())))
    assert "networks_tried" not in figure_numbers(nothing)
    assert "front" in figure_numbers(nothing)
    assert "front" not in figure_numbers(plain)
