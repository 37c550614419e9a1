"""What is done with rows, and how many candidates are tried, where the user says nothing of either."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import shoal
from shoal.resources import available_cores
from shoal.settings import NETWORKS, check_settings
from shoal.steps.folding import FEWEST_CANDIDATES, FOLDS, MOST_ROWS
from shoal.steps.posing import Posed
from shoal.steps.proposing import CORE_SECONDS, FEWEST, NETWORKS_A_MINUTE, pose_search
from shoal.steps.reading import read
from shoal.training.engines.native.cost import core_seconds
from shoal.training.member import Member


def table(rows: int, features: int = 2) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(rows, features))
    columns: dict[str, Any] = {f"x{i}": x[:, i] for i in range(features)}
    return {**columns, "t": np.arange(rows), "e": rng.uniform(0.1, 0.2, rows), "y": x[:, 0] + rng.normal(size=rows)}


def folds_of(data: Any, **settings: Any) -> int | None:
    given = {} if isinstance(data, str) else {"target": "y"}
    return read(data, check_settings({**given, **settings}))[1].folds


def test_small_tables_are_dealt_to_folds_and_others_are_not() -> None:
    assert folds_of(table(200)) == FOLDS
    assert folds_of("iris") == FOLDS
    assert folds_of(table(50)) is None  # forty beside the test
    assert folds_of(table(MOST_ROWS * 5 // 4 + 10)) is None
    assert folds_of(table(200), cv=3) == 3


@pytest.mark.parametrize(
    "settings",
    [
        {"cv": "none"},
        {"validation_size": 0.16},
        {"repeats": 2},
        {"networks": FEWEST_CANDIDATES - 1},
        {"networks": 1},
        {"time": "t"},
        {"window": 4, "time": "t"},
        {"y_err": "e", "replicas": 10},
        {"network": "4 8:relu 1"},
        {"search": "grid", "hidden": "4; 8"},
    ],
)
def test_an_option_that_asks_for_something_else_gets_it(settings: dict[str, Any]) -> None:
    assert folds_of(table(200), **settings) is None


def test_few_groups_or_rows_of_a_class_are_not_dealt_to_folds() -> None:
    data = table(200)
    assert folds_of({**data, "g": np.arange(200) % 40}, group="g") == FOLDS
    assert folds_of({**data, "g": np.arange(200) % 8}, group="g") is None
    rare = np.where(np.arange(200) < 8, "rare", "usual")
    assert folds_of({**data, "y": rare}) is None


def test_the_test_rows_are_the_same_with_folds_and_without() -> None:
    with_folds, without = (read("iris", check_settings(given))[1] for given in ({}, {"cv": "none"}))
    np.testing.assert_array_equal(with_folds.test, without.test)
    np.testing.assert_array_equal(with_folds.train, np.union1d(without.train, without.validation))


def test_none_is_said_in_words_and_other_words_are_refused() -> None:
    assert check_settings({"cv": "5"}).folds == 5
    assert check_settings({"cv": "none"}).folds is None
    with pytest.raises(shoal.errors.SettingError, match=r"cv: expected .*got cv='many'"):
        check_settings({"cv": "many"})


def search_of(rows: int, features: int, **settings: Any) -> tuple[Posed, Any]:
    options = check_settings({"target": "y", "features": [f"x{i}" for i in range(features)], **settings})
    posed = Posed.of(*read(table(rows, features), options), options)
    return posed, pose_search(posed)


def test_a_table_that_takes_long_gets_fewer_candidates_by_the_model_of_the_cost() -> None:
    assert search_of(200, 2)[1].count == NETWORKS
    posed, search = search_of(9_000, 150)
    assert FEWEST < search.count < NETWORKS
    drawn = [Member(i, search.space.candidate(0, i)) for i in range(search.count + 1)]
    seconds = FOLDS * core_seconds(posed.problem, drawn).cumsum()
    assert seconds[-2] <= CORE_SECONDS < seconds[-1]
    assert search_of(9_000, 150, networks=50)[1].count == 50
    assert search_of(9_000, 150, minutes=10)[1].count > NETWORKS


def test_a_budget_proposes_more_than_it_has_room_for_and_not_by_the_thousand_what_takes_long() -> None:
    for rows, features, minutes in ((200, 2, 0.05), (9_000, 150, 0.2)):
        posed, search = search_of(rows, features, minutes=minutes)
        drawn = [Member(i, search.space.candidate(0, i)) for i in range(search.count)]
        room = 60.0 * minutes * available_cores()
        assert FOLDS * core_seconds(posed.problem, drawn).sum() > 2.0 * room
    assert NETWORKS <= search.count < NETWORKS_A_MINUTE * minutes / FOLDS


@pytest.mark.slow
def test_a_default_fit_says_what_it_did_and_repeats_itself(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shoal.steps.proposing.CORE_SECONDS", 0.02)
    runs = [shoal.fit("iris", out=str(tmp_path / name), epochs=15, page=name == "a") for name in "ab"]
    first, second = (run.path / "model" / "weights.safetensors" for run in runs)
    assert first.read_bytes() == second.read_bytes()
    run = runs[0]
    search, config = run.metrics["search"], run.folder.config
    tried = search["candidates_looked_at"]
    assert (search["cv"], search["left_out"], run.metrics["networks"]["trained"]) == (
        FOLDS,
        NETWORKS - tried,
        5 * tried,
    )
    assert "cv" not in config["settings"]
    assert config["data"]["folds"] == FOLDS
    page = (run.path / "report.html").read_text(encoding="utf-8")
    assert f"{tried} candidates rather than {NETWORKS} were tried" in page
    assert "There are folds since the table is small" in page
    assert shoal.load(run.path).folder.metrics()["rows"] == {"train": 120, "validation": 0, "test": 30}
