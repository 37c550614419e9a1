"""Folds and repeats from end to end: what is trained, ranked, kept, written, and what must not leak."""

from __future__ import annotations

import dataclasses
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.data import Preparation
from shoal.evaluation.scoring import best_guess, prepared_rows, score_guess
from shoal.prediction.calibration import choose_calibration
from shoal.prediction.out_of_fold import OutOfFold
from shoal.report import keep_figures
from shoal.results import Status
from shoal.run import Run
from shoal.runs.folder import RunFolder
from shoal.search.members import members_of
from shoal.settings import check_settings
from shoal.steps.choosing import choose_kept
from shoal.steps.posing import pose
from shoal.steps.reading import read
from shoal.training import trainer
from shoal.training.checkpointing import checkpoint_from_parts
from shoal.training.engines.xla import XlaEngine
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import TrainedMember
from shoal.training.problem import Problem
from shoal.training.trainer import Training, train

FOLDS, REPEATS, CANDIDATES = 3, 2, 3
EACH = FOLDS * REPEATS


@pytest.fixture(scope="module")
def folded(tiny: dict[str, Any]) -> dict[str, Any]:
    return {**tiny, "networks": CANDIDATES, "cv": FOLDS, "repeats": REPEATS}


@pytest.fixture(scope="module")
def run(folded: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return shoal.fit("iris", out=str(tmp_path_factory.mktemp("folds") / "run"), **folded)


def without_seconds(run: Run) -> bytes:
    metrics = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))
    del metrics["seconds"]
    return json.dumps(metrics).encode()


def posed(data: Any, **settings: Any) -> Problem:
    options = check_settings(settings)
    dataset, split = read(data, options)
    return pose(dataset, split, Preparation.fit(dataset, split.train), options)


# what is trained


@pytest.mark.slow
def test_every_candidate_meets_every_fold_in_every_repeat(run: Run) -> None:
    networks = run.networks
    assert networks["id"].to_list() == list(range(CANDIDATES * EACH))
    assert networks["candidate_id"].to_list() == [i // EACH for i in range(CANDIDATES * EACH)]
    assert networks["repeat"].to_list() == [i % EACH // FOLDS for i in range(CANDIDATES * EACH)]
    assert networks["fold"].to_list() == [i % FOLDS for i in range(CANDIDATES * EACH)]
    assert networks["candidate"].n_unique() == CANDIDATES
    assert run.curves["network"].n_unique() == CANDIDATES * EACH


def test_the_validation_rows_are_the_training_rows_in_folds_with_both_halves() -> None:
    problem = posed("iris", cv=FOLDS, repeats=REPEATS)
    assert problem.folds is not None
    assert problem.folds.shape == (120, REPEATS)
    assert np.array_equal(problem.x, problem.validation_x)
    assert np.array_equal(problem.y, problem.validation_y)
    for fold in problem.folds.T:
        parts = np.bincount(2 * fold + problem.validation_half)
        assert parts.tolist() == [20] * 6
        classes = [problem.y[fold == k].sum(axis=0) for k in range(FOLDS)]
        assert np.ptp(classes, axis=0).max() <= 1
    assert not np.array_equal(problem.folds[:, 0], problem.folds[:, 1])
    assert posed("iris", cv="none").folds is None


def test_groups_stay_whole_in_the_folds() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(24), rng.integers(2, 8, 24))
    data = {"x": rng.normal(size=len(groups)), "y": rng.normal(size=len(groups)), "g": [f"g{i}" for i in groups]}
    options = check_settings({"group": "g", "target": "y", "cv": 4, "repeats": 2})
    dataset, split = read(data, options)
    problem = pose(dataset, split, Preparation.fit(dataset, split.train), options)
    assert problem.folds is not None
    own = groups[split.train]
    for fold in problem.folds.T:
        assert all(len(np.unique(fold[own == g])) == 1 for g in np.unique(own))
        assert np.bincount(2 * fold + problem.validation_half).min() > 0


# what is ranked, kept and written


@pytest.mark.slow
def test_candidates_are_ranked_by_their_mean_with_its_standard_error(run: Run) -> None:
    scores = run.networks["score"].to_numpy().reshape(CANDIDATES, EACH)
    candidates = run.candidates
    np.testing.assert_allclose(candidates["score"], scores.mean(axis=1))
    np.testing.assert_allclose(candidates["score_error"], scores.std(axis=1, ddof=1) / np.sqrt(EACH))
    best = np.argsort(scores.mean(axis=1))[:2]
    assert sorted(best) == candidates.filter("kept")["id"].to_list()
    assert run.networks.filter("kept")["candidate_id"].unique().sort().to_list() == sorted(best)
    search = run.metrics["search"]
    assert (search["candidates_looked_at"], search["cv"], search["repeats"]) == (CANDIDATES, FOLDS, REPEATS)
    assert [kept["candidate"] for kept in search["kept"]] == best.tolist()
    assert search["kept"][0]["networks"] == EACH
    assert search["kept"][0]["standard_error"] == pytest.approx(scores[best[0]].std(ddof=1) / np.sqrt(EACH))
    assert run.metrics["networks"]["trained"] == CANDIDATES * EACH
    assert run.metrics["networks"]["kept"] == len(run.predictor.members) == 2 * EACH
    assert run.metrics["rows"] == {"train": 120, "validation": 0, "test": 30}


@pytest.mark.slow
def test_validation_scores_are_those_of_out_of_fold_predictions(run: Run, folded: dict[str, Any]) -> None:
    options = check_settings(folded)
    dataset, split = read("iris", options)
    problem = pose(dataset, split, run.predictor.preparation, options)
    rows = prepared_rows(dataset, run.predictor.preparation, split.train, dataset.weights())
    members = members_of([Hyperparameters()] * CANDIDATES, FOLDS, REPEATS)
    kept = [
        TrainedMember(members[m.id], m.network, m.parameters, Status.FINISHED, 1, np.zeros((5, 0)))
        for m in run.predictor.members
    ]
    folds = OutOfFold.of(problem, kept)
    assert folds is not None
    np.testing.assert_array_equal(folds.learned[:, folds.judging], ~folds.unlearned)
    halves = np.asarray([trained.member.half for trained in kept])
    np.testing.assert_array_equal(
        folds.judged, folds.unlearned & (halves[:, None] != problem.validation_half[None, folds.judging])
    )
    assert set(halves) == {0, 1}
    judging = prepared_rows(dataset, run.predictor.preparation, split.train[folds.judging], dataset.weights())
    for part, of_part, answering in (("validation", judging, folds.judged), ("train", rows, folds.learned)):
        prediction = run.predictor.predict_features(of_part.x, answering)
        guess = best_guess(prediction)
        if part == "validation":  # calibrated by what the rows of other parts say
            assert prediction.averaged is not None
            guess = choose_calibration(prediction.averaged, of_part.y, of_part.weights, seed=options.seed).probabilities
        expected = score_guess(run.predictor, of_part, guess, 0)
        assert {name: score["value"] for name, score in run.metrics[part].items()} == pytest.approx(
            {name: score.value for name, score in expected.items()}
        )


@pytest.mark.slow
def test_the_same_command_gives_the_same_numbers(run: Run, folded: dict[str, Any], tmp_path: Path) -> None:
    again = shoal.fit("iris", out=str(tmp_path / "again"), **folded)
    assert without_seconds(again) == without_seconds(run)
    for name in ("model/model.json", "model/weights.safetensors"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()


@pytest.mark.slow
def test_the_test_rows_are_those_of_a_run_without_folds(run: Run, iris_run: Run) -> None:
    baseline = [each.metrics["baselines"]["most_frequent"]["accuracy"]["value"] for each in (run, iris_run)]
    assert baseline[0] == baseline[1]
    assert run.metrics["test_openings"] == 1


@pytest.mark.slow
def test_an_interrupted_run_goes_on_to_the_same_numbers(
    run: Run, folded: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = importlib.import_module("shoal.steps.writing")
    monkeypatch.setattr(writing, "write_report", lambda record, folder, *_: keep_figures(record, folder))
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)

    class CtrlC:
        def __init__(self) -> None:
            self.left = 1

        def stage(self, text: str) -> None: ...

        def note(self, text: str) -> None: ...

        def warn(self, text: str) -> None: ...

        def training(self, **news: Any) -> None:
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt

    with pytest.raises(shoal.Interrupted, match=f"0 of {CANDIDATES * EACH} networks are trained.*--resume"):
        shoal.fit("iris", out=str(tmp_path / "run"), progress=CtrlC(), **folded)
    assert without_seconds(shoal.resume(tmp_path / "run")) == without_seconds(run)


@pytest.mark.slow
def test_error_bars_of_a_regression_come_from_all_rows(tiny: dict[str, Any], tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(160, 2))
    y = x[:, 0] - 0.5 * x[:, 1] + 0.3 * rng.normal(size=160)
    data = pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y})
    options = {**tiny, "target": "y", "networks": 4, "cv": 4, "epochs": 60, "learning_rate": 0.02, "l2": 0.0}
    options["batch_size"] = 32
    run = shoal.fit(data, out=str(tmp_path / "run"), **options)
    assert run.predictor.noise[0] == pytest.approx(0.3, rel=0.25)
    assert run.metrics["coverage"]["high"] > 0.95
    assert run.metrics["validation"]["rmse"]["value"] == pytest.approx(0.3, rel=0.25)
    loaded = shoal.load(run.path).predict(data)
    assert loaded.std is not None
    assert np.array_equal(loaded.std, run.predict(data).std)  # type: ignore[arg-type]


@pytest.mark.slow
def test_repeats_without_folds_keep_the_split(tiny: dict[str, Any], tmp_path: Path) -> None:
    run = shoal.fit("iris", out=str(tmp_path / "run"), **{**tiny, "networks": 2, "repeats": 3})
    assert run.metrics["rows"] == {"train": 96, "validation": 24, "test": 30}
    assert run.networks["fold"].to_list() == [None] * 6
    assert run.networks["repeat"].to_list() == [0, 1, 2] * 2
    scores = run.networks["score"].to_numpy().reshape(2, 3)
    assert (np.ptp(scores, axis=1) > 0).all()  # each repeat has its own seeds
    np.testing.assert_allclose(run.candidates["score"], scores.mean(axis=1))
    assert run.metrics["networks"]["kept"] == 3


# what must not leak


@pytest.mark.slow
def test_the_targets_of_a_fold_have_no_influence_on_its_own_members() -> None:
    problem = posed("iris", cv=FOLDS, repeats=REPEATS)
    assert problem.folds is not None
    hidden = problem.folds[:, 0] == 1
    y = np.where(hidden[:, None], problem.y[:, [1, 2, 0]], problem.y)
    spoiled = dataclasses.replace(problem, y=y, validation_y=y)
    # one epoch: which epoch is best is the only thing that a fold's own targets may tell
    members = members_of([Hyperparameters(hidden=(4,), epochs=1, batch_size=16)], FOLDS, REPEATS)
    before, after = (train(each, members, XlaEngine()).members for each in (problem, spoiled))
    for a, b in zip(before, after, strict=True):
        same = all(
            np.array_equal(one[name], other[name])
            for one, other in zip(a.parameters, b.parameters, strict=True)
            for name in one
        )
        own = (a.member.repeat, a.member.fold) == (0, 1)
        assert same == own
        assert (a.validation_loss != b.validation_loss).all() or not own


# what cannot be


def test_what_cannot_be_folded_leaves_no_folder(tiny: dict[str, Any], tmp_path: Path) -> None:
    out = str(tmp_path / "run")
    with pytest.raises(shoal.SettingError, match="cv: 41 folds need at least 41 rows of each class"):
        shoal.fit("iris", out=out, **{**tiny, "cv": 41})
    rows = pl.DataFrame({"t": np.arange(50) // 20, "x": np.arange(50) % 7.5, "y": np.arange(50) % 3.7})
    with pytest.raises(shoal.SettingError, match="cv: 3 rolling folds need at least 4 different times"):
        shoal.fit(rows, target="y", time="t", out=out, **{**tiny, "cv": 3})
    assert not Path(out).exists()


@pytest.mark.slow
def test_when_no_candidate_is_whole_in_time_the_networks_are_kept(tmp_path: Path) -> None:
    problem = posed("iris", cv=2)
    members = members_of([Hyperparameters(hidden=(4,), epochs=1, batch_size=16)] * 3, 2)
    training = train(problem, members[::2], XlaEngine())
    training.checkpoint.finished[4].status = Status.RUNNING  # the end of the time cut it short
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({}, data={"name": "iris", "source": "built in"})
    message = r"no candidate has all of its 2 networks yet, 2 networks are trained and kept in .*--resume"
    with pytest.raises(shoal.Interrupted, match=message):
        choose_kept(training, check_settings({"cv": 2}), folder)
    kept = checkpoint_from_parts(*folder.load_checkpoint(), problem, {m.id: m for m in members})
    assert sorted(kept.finished) == [0, 2]
    whole = train(problem, members[:3], XlaEngine())
    assert choose_kept(whole, check_settings({"cv": 2}), folder) == [0, 1]


@pytest.mark.slow
def test_a_candidate_of_which_one_network_diverged_is_not_kept(tmp_path: Path) -> None:
    problem = posed("iris", cv=2)
    wild, calm = (Hyperparameters(hidden=(4,), epochs=2, batch_size=16, learning_rate=r) for r in (1e30, 1e-3))
    members = members_of([calm, calm], 2)
    members[1] = dataclasses.replace(members[1], hyperparameters=wild)
    training: Training = train(problem, members, XlaEngine())
    folder = RunFolder.create(tmp_path / "run", "iris")
    assert choose_kept(training, check_settings({"cv": 2}), folder) == [2, 3]
    members[2] = dataclasses.replace(members[2], hyperparameters=wild)
    with pytest.raises(shoal.SettingError, match="networks of all 2 candidates diverged in epoch"):
        choose_kept(train(problem, members, XlaEngine()), check_settings({"cv": 2}), folder)
