"""Searches of hyperparameters that the user named, from the data to the page, and interrupted on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.errors import SettingError
from shoal.evaluation.topics.knobs import Knobs, TriedKnob, TriedValue
from shoal.evaluation.validation_losses import row_losses, validating_rows
from shoal.repeating import command_line
from shoal.report.topics.knobs import base_sentence, knob_sentence
from shoal.search.members import members_of
from shoal.settings import check_settings
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search, with_base
from shoal.steps.reading import read_checked
from shoal.training.engines.native import NativeEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.progress import Silent
from shoal.training.trainer import train

QUICK: dict[str, Any] = {"epochs": 8, "batch_size": 32, "engine": "native"}


def posed(data: Any = "iris", **settings: Any) -> Posed:
    """Return a posed problem."""
    checked = check_settings({**QUICK, **settings})
    dataset, split = read_checked(data, checked, Silent(), None)
    return Posed.of(dataset, split, checked)


def candidates_of(run: shoal.Run) -> list[dict[str, Any]]:
    return run.candidates.sort("id").select("hidden", "learning_rate", "activation", "batch_size").to_dicts()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"search": "one-at-a-time"}, "search one-at-a-time tries what you name"),
        ({"search": "grid", "learning_rate": 0.1}, "search grid tries what you name"),
        (
            {"networks": 1, "learning_rate": "0.1; 0.01"},
            "networks=1 leaves nothing to vary; give one value of learning_rate",
        ),
        ({"momentum": "0.5; 0.9"}, "momentum: there is nothing to vary.*add --optimizer sgd"),
        ({"search": "one-at-a-time", "weight_decay": "0.1; 0.2"}, "weight_decay: .*add --optimizer adamw"),
        ({"search": "one-at-a-time", "networks": 2, "l2": "0..1"}, "has 5 candidates, and networks=2 leaves no room"),
        (
            {"search": "grid", **dict.fromkeys(("l2", "l1", "dropout", "momentum"), "0..0.5"), "beta_1": "0.1..0.9"}
            | {"optimizer": "sgd; adam", "activation": "relu; tanh; elu; gelu"},
            "has 25,000 candidates, 25,000 networks in all, which is about .* on .* core.*--networks N try N of them",
        ),
    ],
)
def test_a_search_without_sense_is_refused_before_anything_is_trained(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        pose_search(posed(**settings))


def test_smoothing_of_labels_is_refused_where_there_are_none() -> None:
    with pytest.raises(SettingError, match="label_smoothing: there is nothing to vary"):
        pose_search(posed("diabetes", label_smoothing="0; 0.1"))


def test_some_points_of_a_large_grid() -> None:
    search = pose_search(posed(search="grid", networks=7, l2="0..1", dropout="0..0.5", learning_rate="1e-4..0.1"))
    assert search.count == 7


def test_the_command_repeats_the_search() -> None:
    of = posed(search="grid", learning_rate="0.001..0.1", hidden="8; 16,16", nesterov="no; yes", optimizer="sgd")
    line = command_line(of.dataset, of.settings)
    assert "--hidden '8; 16,16' --optimizer sgd --learning-rate 0.001..0.1 --no-nesterov --nesterov" in line
    assert "--search grid" in line


@pytest.mark.parametrize("cv", [None, 3])
@pytest.mark.parametrize("data", ["iris", "breast_cancer", "diabetes"])
def test_losses_of_rows_have_the_validation_loss_as_their_mean(data: str, cv: int | None) -> None:
    of = posed(data, cv=cv or "none")
    members = members_of([Hyperparameters(epochs=4, l2=0.1, label_smoothing=0.0)], cv)
    for trained in train(of.problem, members, NativeEngine()).members:
        rows = np.flatnonzero(validating_rows(of.problem, trained))
        losses, weights = row_losses(of.problem, trained, rows)
        expected = trained.validation_loss[trained.best_epoch - 1]
        assert np.average(losses, weights=weights) == pytest.approx(expected, rel=2e-5)


@pytest.mark.slow
def test_one_at_a_time_tells_what_each_value_did(tmp_path: Path) -> None:
    settings = {**QUICK, "learning_rate": "0.01; 0.00001", "hidden": "8; 16", "repeats": 3}
    run = shoal.fit("iris", search="one-at-a-time", out=str(tmp_path / "run"), **settings)
    base, wide, slow = candidates_of(run)
    assert base | {"learning_rate": 0.00001} == slow
    assert base | {"hidden": wide["hidden"]} == wide
    assert (base["hidden"], wide["hidden"]) == ("8", "16")
    knobs = run.metrics["search"]["knobs"]
    assert list(knobs) == ["hidden", "learning_rate"]
    assert [each["worse_than_best"] for each in knobs["learning_rate"]["tried"]] == [False, True]
    assert all(each["standard_error"] > 0.0 for knob in knobs.values() for each in knob["tried"])
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Worse by more than chance" in page
    assert 'id="figure-knobs"' in page
    based = check_settings({**QUICK, "base": str(tmp_path / "run"), "search": "one-at-a-time", "l2": "0.5; 2"})
    taken = with_base(based)
    assert taken.base is None
    assert taken.fixed()["learning_rate"] == 0.01
    assert taken.fixed()["epochs"] == 8
    assert taken.knobs()["l2"].spread == (0.0, 0.5, 2.0)


@pytest.mark.slow
def test_a_random_search_tells_of_the_named(tmp_path: Path) -> None:
    settings = {**QUICK, "networks": 4, "learning_rate": "0.001..0.1", "page": False}
    run = shoal.fit("diabetes", out=str(tmp_path / "run"), **settings)
    told = run.metrics["search"]["knobs"]["learning_rate"]
    assert told["alone"] is False
    assert [each["worse_than_best"] for each in told["tried"]] == [None] * 4


@pytest.mark.slow
def test_a_search_begins_with_what_an_earlier_run_found(tmp_path: Path) -> None:
    earlier = shoal.fit("iris", networks=6, out=str(tmp_path / "earlier"), page=False, **QUICK)
    best = earlier.candidates.sort("score")["learning_rate"].to_list()
    of = posed(from_run=str(tmp_path / "earlier"), networks=9, epochs=5)
    first = pose_search(of).first
    assert [candidate.learning_rate for candidate in first] == best
    assert {candidate.epochs for candidate in first} == {5}
    assert f"--from {tmp_path / 'earlier'}" in command_line(of.dataset, of.settings)
    limits = f"{best[1]}..{best[1] * 1.001}"
    named = pose_search(posed(from_run=str(tmp_path / "earlier"), networks=9, learning_rate=limits)).first
    assert [candidate.learning_rate for candidate in named] == best[1:2]
    for refused, message in (
        ({"data": "diabetes"}, "is a classification, and this is a regression"),
        ({"data": "wine"}, "had other targets: cultivar only here, species only there"),
        ({"ignore": "petal width"}, "had other features: petal width .* only there"),
        ({"learning_rate": "10..20"}, "no candidate of .* lies within the values that are named of learning_rate"),
        ({"search": "grid", "l2": "0; 1"}, "search grid has candidates of its own"),
    ):
        with pytest.raises(SettingError, match=message):
            pose_search(posed(**{"data": "iris", "from_run": str(tmp_path / "earlier"), **refused}))


@pytest.mark.slow
@pytest.mark.parametrize(("cv", "each"), [("none", 1), (3, 3)])
def test_a_search_ends_where_a_score_is_reached(tmp_path: Path, cv: Any, each: int) -> None:
    settings = {**QUICK, "epochs": 60, "batch_size": "8; 16; 32", "networks": 60, "cv": cv, "page": False}
    run = shoal.fit("iris", until="accuracy=0.9", out=str(tmp_path / "run"), **settings)
    assert run.metrics["engine"]["stopped_by"] == "until"
    assert run.metrics["networks"]["trained"] < 60 * each
    ended = run.networks.filter(run.networks["status"] != "running")
    of = ended.group_by("candidate_id").agg(mean=pl.col("validation_metric").mean(), networks=pl.len())
    assert of.filter(pl.col("networks") == each)["mean"].max() >= 0.9  # the accuracy of each at its best epoch
    again = shoal.fit("iris", until="accuracy=0.9", out=str(tmp_path / "again"), **settings)
    assert again.networks.equals(run.networks)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"until": "accuracy"}, "until: expected METRIC=VALUE, e.g. accuracy=0.97"),
        ({"until": "r2=0.5"}, "'r2' is for numbers, but this fit predicts classes"),
        ({"until": "acuracy=0.5"}, "Did you mean 'accuracy'"),
    ],
)
def test_a_goal_without_sense_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        pose_search(posed(**settings))


class StopsInRound:
    """A listener that interrupts the training of a round of the search."""

    def __init__(self, number: int) -> None:
        self.left = number

    def stage(self, text: str) -> None:
        """Count the rounds."""
        self.left -= text.startswith(("training", "compiling"))

    def note(self, text: str) -> None:
        """Ignore."""

    warn = note

    def training(self, **news: Any) -> None:
        """Interrupt."""
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_a_search_that_was_interrupted_in_a_later_round_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    settings = {**QUICK, "search": "refine", "learning_rate": "1e-4..0.1", "networks": 12, "epochs": 40, "page": False}
    plain = shoal.fit("iris", out=str(tmp_path / "plain"), **settings)
    for number in (2, 3):
        out = str(tmp_path / f"stopped-{number}")
        with pytest.raises(shoal.Interrupted, match="networks are trained and kept"):
            shoal.fit("iris", out=out, progress=StopsInRound(number), **settings)
        run = shoal.resume(out)
        for name in ("scored.safetensors", "model/weights.safetensors"):
            assert (Path(out) / name).read_bytes() == (Path(plain.path) / name).read_bytes(), (number, name)
        assert run.candidates.equals(plain.candidates)


# sentences


def knob(*tried: TriedValue, alone: bool = True) -> TriedKnob:
    return TriedKnob("learning_rate", tried, alone)


def test_sentences_say_no_more_than_is_known() -> None:
    first, good = TriedValue(0.1, 0, 0.5, 0.05), TriedValue(0.01, 1, 0.4, 0.04)
    bad, lost = TriedValue(0.001, 2, 0.9, 0.05, worse=True), TriedValue(10.0, 3, float("inf"), float("nan"))
    assert knob_sentence(knob(first, good, bad, lost), 5) == (
        "Best score: learning rate 0.01, 0.400 ± 0.040. Worse by more than chance (95 %, all values together): 0.001. "
        "Not told apart from it: 0.1. With 10 a network diverged."
    )
    assert "no value can be called better than another" in knob_sentence(knob(first, good), 1)
    both = Knobs((knob(first, good), knob(first, good, alone=False), knob(good, first)), 5)
    assert base_sentence(both).startswith("Each moved alone, from the base learning rate ")
    assert base_sentence(Knobs((knob(first, good),), 5)) == ""
    assert knob_sentence(knob(lost), 5) == "With every learning rate a network diverged."
    assert "this alone does not say which value is better" in knob_sentence(knob(first, good, alone=False), 5)
