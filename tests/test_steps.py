"""What is done aside, in a second process, is what would be done here; and when there is one."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.evaluation.record import Record
from shoal.helper_process import HelperProcess, Later, close_spare, start_early, take_spare
from shoal.report import write_figures
from shoal.settings import check_settings
from shoal.steps import beside
from shoal.steps.beside import learn_meanwhile, open_helper
from shoal.steps.posing import Posed
from shoal.steps.reading import read
from shoal.steps.timing import Timing

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no second process here")


@pytest.fixture
def helper() -> Iterator[HelperProcess]:
    helper = HelperProcess()
    yield helper
    helper.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "phase_transition"])
def test_the_baselines_are_the_same_wherever_they_learn(helper: HelperProcess, name: str) -> None:
    dataset, split = read(name, check_settings({}))
    posed = Posed.of(dataset, split, check_settings({"seed": 3}))
    x = posed.preparation.transform(dataset.table[split.test])
    there, here = (learn_meanwhile(a, posed)(x) for a in (helper, HelperProcess(start=False)))
    assert list(there) == list(here)
    for method, prediction in here.items():
        np.testing.assert_array_equal(there[method], prediction)


@pytest.mark.slow
def test_the_figures_are_the_same_wherever_they_are_drawn(
    helper: HelperProcess, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records: list[Record] = []
    monkeypatch.setattr(
        importlib.import_module("shoal.steps.writing"), "write_report", lambda record, *_: records.append(record)
    )
    shoal.fit("iris", out=str(tmp_path / "run"), **tiny)
    here = write_figures(records[0], tmp_path / "here")
    shared = write_figures(records[0], tmp_path / "shared", helper)
    monkeypatch.setattr(Later, "take_back", lambda _: False)
    there = write_figures(records[0], tmp_path / "there", helper)
    assert list(here) == list(shared) == list(there)
    assert here == shared == there
    files = {path.name: path.read_bytes() for path in (tmp_path / "here" / "figures").iterdir()}
    for other in ("shared", "there"):
        assert files == {path.name: path.read_bytes() for path in (tmp_path / other / "figures").iterdir()}


@pytest.mark.parametrize(
    ("cores", "loaded", "expected"),
    [(2, [], True), (1, [], False), (2, ["jax"], False), (2, ["sklearn.ensemble"], False)],
)
def test_a_second_process_is_for_a_cold_start_on_several_cores(
    monkeypatch: pytest.MonkeyPatch, cores: int, loaded: list[str], expected: bool
) -> None:
    modules = {name: module for name, module in sys.modules.items() if name not in ("jax", "sklearn.ensemble")}
    monkeypatch.setattr(beside, "available_cores", lambda: cores)
    monkeypatch.setattr(beside.sys, "modules", {**modules, **dict.fromkeys(loaded)})
    helper = open_helper()
    monkeypatch.undo()
    helper.close()
    assert helper.running == expected


def test_timing_shares_out_the_total() -> None:
    timing = Timing()
    timing.end("reading")
    timing.end("preparing", counted=1000.0)
    assert timing.seconds["preparing"] == 0.0
    assert timing.seconds["total"] >= timing.seconds["reading"] >= 0.0


def test_a_process_that_was_started_early_is_taken_once() -> None:
    close_spare()
    start_early("json")
    early = open_helper()
    try:
        assert early.running == (os.name == "posix")
        assert take_spare() is None
    finally:
        early.close()
