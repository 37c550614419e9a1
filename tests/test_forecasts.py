"""Forecasts by default: networks see each step of the window in its place, and follow a trend."""

from __future__ import annotations

from pathlib import Path

import numpy as np

import shoal

STEPS = np.arange(150)
RISING = {"level": 0.1 * STEPS + np.sin(2 * np.pi * STEPS / 12)}


def test_forecasts_go_on_with_a_trend_beyond_the_values_of_training(tmp_path: Path) -> None:
    settings = {"target": "level", "window": 12, "horizon": 3, "networks": 6, "page": False}
    run = shoal.fit(RISING, **settings, out=str(tmp_path / "run"))
    assert {member.candidate["layers"] for member in run.predictor.members} == {"flatten"}
    scores, persistence = run.metrics["test"], run.metrics["baselines"]["persistence"]
    assert scores["rmse"]["value"] < 0.3 * persistence["rmse"]["value"]


def test_a_single_network_forecasts_through_a_hidden_layer(tmp_path: Path) -> None:
    run = shoal.fit(RISING, target="level", window=12, networks=1, epochs=2, page=False, out=str(tmp_path / "run"))
    [member] = run.predictor.members
    assert member.candidate["layers"] == "flatten"
    assert member.candidate["hidden"] == [32]
