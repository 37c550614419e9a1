"""`smallest`: an ensemble of networks no larger than the smallest that is as good as the best."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

import shoal
from shoal.errors import SettingError
from shoal.settings import check_settings

SETTINGS: dict[str, Any] = {"networks": 24, "epochs": 30, "batch_size": 32, "optimizer": "adam", "seed": 1}


@pytest.fixture(autouse=True)
def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("shoal.steps.writing"), "write_report", lambda *_: None)


@pytest.mark.slow
def test_the_kept_ones_are_the_best_of_the_small_ones(tmp_path: Path) -> None:
    plain = shoal.fit("iris", out=str(tmp_path / "plain"), **SETTINGS)
    small = shoal.fit("iris", out=str(tmp_path / "small"), smallest=True, **SETTINGS)
    front = small.metrics["search"]["front"]
    assert front == plain.metrics["search"]["front"]
    size = front["smallest_as_good"]["parameters"]
    table = small.candidates.filter(small.candidates["score"].is_finite())
    worst = front["points"][-1]["score"] + 2.0 * front["standard_error_of_a_difference"]
    of_size = table.filter((table["parameters"] <= size) & (table["score"] <= worst)).sort("score", "id")
    most = min(8, (len(of_size) + 1) // 2)
    assert [k["candidate"] for k in small.metrics["search"]["kept"]] == of_size["id"].to_list()[:most]
    assert max(small.metrics["networks"]["parameters"]) <= size
    # the first kept one is the smallest that is as good, or one as small and better
    assert small.metrics["search"]["kept"][0]["candidate"] == front["smallest_as_good"]["candidate"]
    assert max(plain.metrics["networks"]["parameters"]) > size


@pytest.mark.slow
def test_of_one_size_all_are_small(tmp_path: Path, tiny: dict[str, Any]) -> None:
    small = shoal.fit("iris", out=str(tmp_path / "small"), smallest=True, **tiny)
    assert small.metrics["search"]["front"] is None
    assert small.metrics["networks"]["kept"] == 2


def test_a_reconstruction_has_a_rule_of_its_own() -> None:
    with pytest.raises(SettingError, match="a reconstruction cannot be combined with smallest"):
        check_settings({"reconstruct": True, "smallest": True})
