"""Working points against scikit-learn's ROC curve, and yields by process against sums of weights."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_curve

import shoal
from shoal.errors import SettingError
from shoal.evaluation.cuts import Events
from shoal.evaluation.topics.working_points import EFFICIENCIES, working_points

RANDOM = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)


def events(rows: int, negative: float) -> Events:
    signal = RANDOM.random(rows) < 0.4
    weights = np.where(RANDOM.random(rows) < negative, -1.0, 1.0) * RANDOM.uniform(0.5, 1.5, rows)
    return Events(RANDOM.normal(np.where(signal, 1.0, 0.0)), signal, weights)


def test_points_lie_on_the_curve_of_scikit_learn() -> None:
    choosing, quoting = events(3000, 0.0), events(4000, 0.0)
    points = working_points(choosing, quoting)
    assert [point.wanted for point in points] == list(EFFICIENCIES)
    weighed: dict[str, Any] = {"sample_weight": choosing.weights, "drop_intermediate": False}
    _, true, cuts = roc_curve(choosing.signal, choosing.score, **weighed)
    for point in points:
        assert point.cut == cuts[np.flatnonzero(true >= point.wanted - 1e-12)[0]]
        above = quoting.score >= point.cut
        background, signal = (quoting.weights[above & rows].sum() / quoting.weights[rows].sum() for rows in
                              (~quoting.signal, quoting.signal))  # fmt: skip
        assert point.background_efficiency.value == pytest.approx(background)
        assert point.rejection.value == pytest.approx(1.0 / background)
        assert point.signal_efficiency.low < signal < point.signal_efficiency.high


def test_intervals_hold_the_efficiencies_of_the_law_with_negative_weights() -> None:
    choosing = events(2000, 0.2)
    large = events(400_000, 0.2)
    held = []
    for seed in range(40):
        for point in working_points(choosing, events(1500, 0.2), seed):
            rows = large.signal & (large.score >= point.cut)
            true = large.weights[rows].sum() / large.weights[large.signal].sum()
            held.append(point.signal_efficiency.low <= true <= point.signal_efficiency.high)
    assert np.mean(held) > 0.88


def test_yields_by_process_add_up_to_those_of_their_class(tmp_path: Path, tiny: dict[str, Any]) -> None:
    process = RANDOM.choice([f"b{i:02}" for i in range(15)] + ["ggH", "VBF"], 900)
    signal = np.isin(process, ["ggH", "VBF"])
    data = {
        "x": RANDOM.normal(np.where(signal, 1.0, 0.0)),
        "kind": np.where(signal, "signal", "background"),
        "w": np.where(RANDOM.random(900) < 0.1, -1.0, 1.0),
        "process": process,
    }
    yields = {"signal_yield": 20.0, "background_yield": 300.0}
    out = str(tmp_path / "run")
    run = shoal.fit(data, target="kind", weight="w", process="process", out=out, **yields, **tiny)
    assert "process" not in run.preparation.input_columns
    shown = run.metrics["processes"]
    by_class = {flag: [p for p in shown["processes"] if p["signal"] is flag] for flag in (True, False)}
    assert sum(p["events"] for p in by_class[True]) == pytest.approx(20.0)
    assert sum(p["events"] for p in by_class[False]) == pytest.approx(300.0)
    assert sum(p["kept"] for p in by_class[False]) == pytest.approx(run.metrics["selection"]["background_events"])
    assert len(by_class[False]) == 12
    assert by_class[False][0]["name"] == "others"
    test = run.folder.scored("test")
    rows = process[test.rows] == "ggH"
    scale = 20.0 / test.weights[signal[test.rows]].sum()
    of_process = next(p for p in by_class[True] if p["name"] == "ggH")
    assert of_process["rows"] == rows.sum()
    assert of_process["events"] == pytest.approx(scale * test.weights[rows].sum())
    assert of_process["error"] == pytest.approx(scale * np.sqrt((test.weights[rows] ** 2).sum()))
    with pytest.raises(SettingError, match="process are for two classes"):
        shoal.fit(data, target="x", process="process", out=str(tmp_path / "no"), ignore="w", **tiny)
