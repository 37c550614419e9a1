"""The main job from end to end, on small data: what it leaves, that it repeats, and what it must not see."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.data import Preparation
from shoal.evaluation.sealed import SealedRows
from shoal.report import keep_figures
from shoal.results import Task
from shoal.run import Run
from shoal.runs.folder import RunFolder
from shoal.runs.listing import list_runs
from shoal.settings import check_settings
from shoal.steps.posing import pose, row_weights
from shoal.steps.proposing import choose_space, count_candidates
from shoal.steps.reading import read
from shoal.training import trainer
from shoal.training.progress import Silent

RNG = np.random.default_rng(7)
ROWS = 120
X = RNG.normal(size=(ROWS, 3))
TABLE = pl.DataFrame(
    {
        "a": X[:, 0],
        "b": X[:, 1],
        "c": X[:, 2],
        "u": np.sin(X[:, 0]) + X[:, 1] + 0.1 * RNG.normal(size=ROWS),
        "v": 1000.0 + 50.0 * X[:, 2] + 5.0 * RNG.normal(size=ROWS),
        "u_err": RNG.uniform(0.05, 0.2, ROWS),
        "v_err": RNG.uniform(2.0, 8.0, ROWS),
        "w": RNG.uniform(0.5, 2.0, ROWS),
        "good": np.where(X[:, 0] + X[:, 1] + 0.3 * RNG.normal(size=ROWS) > 0.0, "yes", "no"),
    }
)
KEYS = {"format", "task", "target", "seed", "rows", "networks", "test", "validation", "train", "baselines", "verdict"}


def no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw no figures: these fits are about something else."""
    writing = importlib.import_module("shoal.steps.writing")
    monkeypatch.setattr(writing, "write_report", lambda record, folder, *_: keep_figures(record, folder))


def without_seconds(run: Run) -> bytes:
    metrics = json.loads((run.path / "metrics.json").read_text(encoding="utf-8"))
    assert set(metrics.pop("seconds")) >= {"total", "compile", "train"}
    return json.dumps(metrics).encode()


# one fit of iris


def test_the_folder_is_complete(iris_run: Run) -> None:
    names = {path.name for path in iris_run.path.iterdir()}
    assert names == {
        "config.toml",
        "log.sqlite",
        "metrics.json",
        "report.html",
        "scored.safetensors",
        "model",
        "figures",
    }
    assert "<html" in (iris_run.path / "report.html").read_text(encoding="utf-8")


def test_metrics_have_what_scripts_need(iris_run: Run) -> None:
    metrics = iris_run.metrics
    assert set(metrics) >= KEYS | {"seconds"}
    assert metrics["format"] == 1
    assert metrics["task"] == "classification"
    assert metrics["target"] == ["species"]
    assert metrics["rows"] == {"train": 96, "validation": 24, "test": 30}
    assert metrics["networks"] == {"trained": 4, "kept": 2, "diverged": 0, "parameters": [51, 51]}
    assert set(metrics["test"]) == {"accuracy", "balanced_accuracy", "log_loss", "roc_auc"}
    assert set(metrics["baselines"]) == {"most_frequent", "logistic_regression", "gradient_boosting"}
    assert set(metrics["verdict"]) >= {"overfitting", "beats_baselines", "text"}
    parts = dict(metrics["seconds"])
    assert parts.pop("total") == pytest.approx(sum(parts.values()), abs=0.05)
    assert set(parts) == {"compile", "train", "reading", "preparing", "evaluate", "report"}
    assert parts["train"] > 0.0
    for part in ("test", "validation", "train"):
        for score in metrics[part].values():
            assert score["low"] <= score["value"] <= score["high"]
            assert score["low"] < score["high"]


def test_every_network_and_curve_is_logged(iris_run: Run) -> None:
    networks, curves = iris_run.networks, iris_run.curves
    assert networks["id"].to_list() == [0, 1, 2, 3]
    assert networks["kept"].sum() == 2
    assert curves.group_by("network").len()["len"].sum() == networks["epochs"].sum()
    best = networks.sort("score")["id"].to_list()[:2]
    assert sorted(best) == networks.filter("kept")["id"].to_list()
    rates = {json.loads(text)["learning_rate"] for text in networks["candidate"]}
    assert len(rates) == 4  # what was not fixed is searched


def test_the_ensemble_learned_something(iris_run: Run) -> None:
    assert iris_run.metrics["test"]["accuracy"]["value"] > 0.8
    assert iris_run.metrics["baselines"]["most_frequent"]["accuracy"]["value"] < 0.5


@pytest.mark.slow
def test_the_same_command_gives_the_same_files(iris_run: Run, tiny: dict[str, Any], tmp_path: Path) -> None:
    again = shoal.fit("iris", out=str(tmp_path / "again"), **tiny)
    assert without_seconds(again) == without_seconds(iris_run)
    for name in ("model/model.json", "model/weights.safetensors"):
        assert (again.path / name).read_bytes() == (iris_run.path / name).read_bytes()
    for a, b in ((again.curves, iris_run.curves), (again.networks, iris_run.networks)):
        assert a.equals(b, null_equal=True)


@pytest.mark.slow
def test_the_test_rows_are_opened_once(
    tiny: dict[str, Any], tmp_path: Path, iris_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_page(monkeypatch)
    stages: list[str] = []
    opened_at: list[str] = []
    original = SealedRows.open

    def watched(self: SealedRows) -> Any:
        opened_at.append(stages[-1])
        return original(self)

    class Stages(Silent):
        def stage(self, text: str) -> None:
            stages.append(text)

        def training(self, **news: Any) -> None: ...

    monkeypatch.setattr(SealedRows, "open", watched)
    dataset, split = read("iris", check_settings(tiny))
    hidden = np.isin(np.arange(dataset.rows), split.test)
    features = [name for name in dataset.table.columns if name != "species"]
    spoiled = dataset.table.with_columns(
        pl.when(pl.Series(hidden)).then(pl.lit(777.0)).otherwise(pl.col(name)).alias(name) for name in features
    )
    run = shoal.fit(spoiled, target="species", out=str(tmp_path / "spoiled"), progress=Stages(), **tiny)
    assert opened_at == ["evaluating"]
    assert run.metrics["test_openings"] == 1
    # whatever stands in the test rows, the model is the same
    for name in ("model/model.json", "model/weights.safetensors"):
        assert (run.path / name).read_bytes() == (iris_run.path / name).read_bytes()
    assert run.metrics["train"] == iris_run.metrics["train"]
    assert run.metrics["test"] != iris_run.metrics["test"]


class CtrlC(Silent):
    """Presses Ctrl-C after a number of chunks."""

    def __init__(self, chunks: int) -> None:
        self.chunks = chunks

    def training(self, **news: Any) -> None:
        self.chunks -= 1
        if self.chunks == 0:
            raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize(("chunks", "done"), [(1, 0), (2, 4)])
def test_an_interrupted_run_goes_on_to_the_same_numbers(
    iris_run: Run, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: int, done: int
) -> None:
    no_page(monkeypatch)
    monkeypatch.setattr(trainer, "KEEP_SECONDS", 0.0)
    out = tmp_path / "stopped"
    with pytest.raises(shoal.Interrupted, match=f"{done} of 4 networks are trained.*--resume {out}"):
        shoal.fit("iris", out=str(out), progress=CtrlC(chunks), **tiny)
    assert sorted(path.name for path in out.iterdir()) == ["checkpoint", "config.toml", "live.curves"]
    with pytest.raises(shoal.RunError, match=r"is not finished; .*--resume"):
        _ = shoal.load(out).metrics
    run = shoal.resume(out)
    assert not (out / "checkpoint").exists()
    assert without_seconds(run) == without_seconds(iris_run)
    with pytest.raises(shoal.RunError, match="is finished"):
        shoal.resume(out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "where"),
    [
        *(("writing", "write_report"), ("finishing", "write_run"), ("finishing", "evaluate")),
        *(("assembling", "shuffle_labels"), ("assembling", "make_ensemble")),
    ],
)
def test_a_run_that_is_interrupted_after_its_training_is_not_finished(
    iris_run: Run, tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, where: str
) -> None:
    def press(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "stopped"
    module = importlib.import_module(f"shoal.steps.{step}")
    with monkeypatch.context() as patch:
        patch.setattr(module, where, press)
        with pytest.raises(shoal.Interrupted, match=f"what is trained is kept.*{out}"):
            shoal.fit("iris", out=str(out), **tiny)
    with pytest.raises(shoal.RunError, match=f"is not finished; `shoal fit --resume {out}` goes on with it"):
        shoal.load(out)
    with pytest.warns(shoal.ShoalWarning, match="the run was not finished"):
        assert list_runs(tmp_path) == []
    no_page(monkeypatch)
    assert without_seconds(shoal.resume(out)) == without_seconds(iris_run)
    assert sorted(path.name for path in out.iterdir()) == [
        *("config.toml", "figures", "log.sqlite", "metrics.json", "model", "scored.safetensors")
    ]


@pytest.mark.slow
def test_ctrl_c_while_labels_are_shuffled_is_no_error(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffle = importlib.import_module("shoal.evaluation.baselines.label_shuffle")
    usual = shuffle.train
    monkeypatch.setattr(shuffle, "train", lambda *given: usual(*given, progress=CtrlC(1)))
    with pytest.raises(shoal.Interrupted, match="what is trained is kept"):
        shoal.fit(TABLE, target="good", features=["a", "b"], out=str(tmp_path / "run"), **tiny)


@pytest.mark.slow
def test_a_run_on_data_from_python_goes_on_with_them(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_page(monkeypatch)
    options: dict[str, Any] = {"target": "u", "features": ["a", "b"], **tiny}
    with pytest.raises(shoal.Interrupted, match=r"Go on with: shoal\.resume\('.*stopped', data=data\)"):
        shoal.fit(TABLE, out=str(tmp_path / "stopped"), progress=CtrlC(2), **options)
    with pytest.raises(shoal.RunError, match=r"on data from Python; go on there, with shoal\.resume"):
        shoal.resume(tmp_path / "stopped")
    with pytest.raises(shoal.RunError, match="have changed since the run began"):
        shoal.resume(tmp_path / "stopped", data=TABLE[:-1])
    run = shoal.resume(tmp_path / "stopped", data=TABLE)
    assert without_seconds(run) == without_seconds(shoal.fit(TABLE, out=str(tmp_path / "run"), **options))


@pytest.mark.slow
def test_a_full_disk_is_told_once_while_training_and_loses_nothing_at_its_end(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Warnings(CtrlC):
        told: list[str] = []

        def warn(self, text: str) -> None:
            self.told.append(text)

    save, full = RunFolder.save_checkpoint, [False, True, True, False]

    def save_or_not(folder: RunFolder, *parts: Any) -> Path:
        if full and full.pop(0):
            raise shoal.RunError("cannot write: The disk is full.")
        return save(folder, *parts)

    def no_space(*_: Any) -> None:
        raise shoal.RunError("cannot write the log: The disk is full.")

    monkeypatch.setattr(RunFolder, "save_checkpoint", save_or_not)
    monkeypatch.setattr(RunFolder, "write_log", no_space)
    monkeypatch.setattr(trainer, "SAVE_SHARE", 0.0)
    monkeypatch.setattr(trainer, "KEEP_SHARE", 0.0)
    out = tmp_path / "run"
    with pytest.raises(shoal.RunError, match=f"cannot write the log.*What is trained is kept.*--resume {out}"):
        shoal.fit("iris", out=str(out), checkpoint_every=1e-9, progress=Warnings(-1), **{**tiny, "epochs": 120})
    (told,) = [text for text in Warnings.told if "disk" in text]
    assert told.startswith("training goes on, but what it has reached is not kept")
    assert RunFolder(out).has_checkpoint


def test_a_budget_for_the_rest_proposes_no_other_networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("shoal.fit")
    seen: list[Any] = []
    monkeypatch.setattr(module, "_fit", lambda *given: seen.append(given[1]))
    folder = RunFolder.create(tmp_path / "run", "iris")
    folder.write_config({"seed": 1}, data={"name": "iris", "source": "built in", "sha256": "0"})
    shoal.resume(tmp_path / "run", minutes=2.0)
    assert (seen[0].networks, seen[0].minutes) == (64, 2.0)


# other tasks


@pytest.mark.slow
def test_regression_with_errors_weights_two_targets_and_a_test_file(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_page(monkeypatch)
    TABLE.drop("good")[:90].write_csv(tmp_path / "train.csv")
    TABLE.drop("good")[90:].write_csv(tmp_path / "test.csv")
    run = shoal.fit(
        str(tmp_path / "train.csv"),
        target="u,v",
        y_err=["u_err", "v_err"],
        weight="w",
        test=str(tmp_path / "test.csv"),
        out=str(tmp_path / "run"),
        **{**tiny, "epochs": 60},
    )
    metrics = run.metrics
    assert metrics["task"] == "regression"
    assert metrics["target"] == ["u", "v"]
    assert metrics["rows"]["test"] == 30
    assert set(metrics["test"]) >= {"rmse", "mae", "r2"}
    assert metrics["test"]["r2"]["value"] > 0.5
    assert 0.0 <= metrics["coverage"]["value"] <= 1.0
    prediction = run.predict(str(tmp_path / "test.csv"))
    assert prediction.mean is not None
    assert prediction.mean.shape == (30, 2)
    truth, w = TABLE[90:].select("u", "v").to_numpy(), TABLE[90:]["w"].to_numpy()
    rmse = np.sqrt(np.average((truth - prediction.mean) ** 2, axis=0, weights=w)).mean()
    assert metrics["test"]["rmse"]["value"] == pytest.approx(rmse, rel=1e-6)
    with pytest.warns(shoal.ShoalWarning, match="opened 2 times now"):
        scores = run.evaluate(str(tmp_path / "test.csv"))
    assert {name: score.value for name, score in scores.items()} == pytest.approx(
        {name: score["value"] for name, score in metrics["test"].items()}
    )


@pytest.mark.slow
def test_two_classes(tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_page(monkeypatch)
    data = TABLE.select("a", "b", "good")
    run = shoal.fit(data, target="good", out=str(tmp_path / "run"), **tiny)
    assert run.metrics["data"]["task"] == "binary classification"
    assert run.metrics["test"]["accuracy"]["value"] > 0.7
    assert run.metrics["networks"]["parameters"] == [2 * 6 + 6 + 6 + 1] * 2
    prediction = run.predict(data)
    assert prediction.probabilities is not None
    assert prediction.labels is not None
    np.testing.assert_allclose(prediction.probabilities.sum(axis=1), 1.0)
    assert prediction.classes == ("no", "yes")
    assert np.mean(prediction.labels == data["good"].to_numpy()) > 0.8


@pytest.mark.slow
def test_a_loss_and_a_penalty_of_the_user(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_page(monkeypatch)

    def quartic(xp: Any, target: Any, output: Any) -> Any:
        return (target - output) ** 4

    def heavy(xp: Any, parameters: Any) -> Any:
        return 1000.0 * sum(xp.sum(layer["kernel"] ** 2) for layer in parameters)

    data = TABLE.select("a", "b", "u")
    options = {**tiny, "learning_rate": 0.03, "l2": 0.0}
    run = shoal.fit(data, target="u", loss=quartic, penalties=(heavy,), out=str(tmp_path / "run"), **options)
    assert run.folder.config["settings"]["loss"] == "quartic"
    # with weights near zero a network answers the mean, whose fourth power of the error is known
    u = data["u"].to_numpy()
    expected = np.mean(((u - u.mean()) / u.std()) ** 4)
    last = run.curves.filter(pl.col("epoch") == tiny["epochs"])["train_loss"].to_numpy()
    np.testing.assert_allclose(last, expected, rtol=0.5)
    assert json.loads(run.networks["candidate"][0])["loss"] == "quartic"


# what cannot be


def test_when_all_diverge_the_curves_are_left(tiny: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "runs" / "lost"
    with pytest.raises(
        shoal.SettingError, match=r"all 4 networks diverged in epoch.*smaller --learning-rate.*report\.h"
    ):
        shoal.fit("iris", learning_rate=1e30, out=str(out), **{**tiny, "activation": "relu"})
    run = shoal.load(out)
    assert run.networks["status"].to_list() == ["diverged"] * 4
    assert len(run.curves) >= 4
    verdict = run.metrics["verdict"]
    assert (verdict["training"], run.metrics["networks"]["kept"], run.metrics["test_openings"]) == ("diverged", 0, 0)
    assert "test" not in run.metrics
    assert verdict["training_text"] in run.report().read_text("utf-8")
    with pytest.raises(shoal.RunError, match="diverged; there is nothing to go on with"):
        shoal.resume(out)
    with pytest.raises(shoal.RunError, match="holds no model, since its networks diverged"):
        run.predict("iris")
    with pytest.warns(shoal.ShoalWarning, match="its networks diverged"):
        assert list_runs(out.parent) == []


def test_a_single_network_that_diverges_keeps_its_curve(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"networks": 1, "optimizer": "sgd", "learning_rate": 1e6, "engine": "native"}
    with pytest.raises(
        shoal.SettingError, match=r"the network diverged in epoch \d+: its loss.*learning rate of 1 × 10⁶"
    ):
        shoal.fit("iris", out=str(tmp_path / "run"), **settings)
    run = shoal.load(tmp_path / "run")
    assert 'id="curves"' in run.report().read_text("utf-8")
    assert [path.name for path in run.figures("png", only=["learning_curves"])] == ["learning_curves.png"]
    (tmp_path / "run" / "mine.txt").write_text("kept")
    with pytest.raises(shoal.SettingError, match="diverged"):
        shoal.fit("iris", out=str(tmp_path / "run"), force=True, page=False, **settings)
    assert not (tmp_path / "run" / "report.html").exists()
    assert (tmp_path / "run" / "mine.txt").exists()


def test_a_folder_that_exists_is_kept(iris_run: Run, tiny: dict[str, Any], tmp_path: Path) -> None:
    before = (iris_run.path / "metrics.json").read_bytes()
    with pytest.raises(shoal.RunError, match="exists and is not empty"):
        shoal.fit("iris", out=str(iris_run.path), **tiny)
    assert (iris_run.path / "metrics.json").read_bytes() == before


def test_bad_input_leaves_no_folder(tiny: dict[str, Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    with pytest.raises(shoal.DataError, match="Did you mean 'species'"):
        shoal.fit("iris", target="speces", out=str(out), **tiny)
    with pytest.raises(shoal.SettingError, match="does not suit"):
        shoal.fit("diabetes", loss="categorical_crossentropy", out=str(out), **tiny)
    with pytest.raises(shoal.SettingError, match="Did you mean 'networks'"):
        shoal.fit("iris", netwroks=3, out=str(out))
    assert not out.exists()


def test_a_loss_of_the_wrong_shape_is_told_and_leaves_no_folder(tiny: dict[str, Any], tmp_path: Path) -> None:
    def total(xp: Any, target: Any, output: Any) -> Any:
        return xp.sum((target - output) ** 2)

    with pytest.raises(shoal.SettingError, match="the loss 'total' must return"):
        shoal.fit("iris", loss=total, out=str(tmp_path / "run"), **tiny)
    assert not (tmp_path / "run").exists()


def test_changed_data_cannot_be_gone_on_with(
    tiny: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TABLE.select("a", "b", "good").write_csv(tmp_path / "data.csv")
    options = {**tiny, "target": "good", "out": str(tmp_path / "run")}
    with pytest.raises(shoal.Interrupted, match="stopped"):
        shoal.fit(str(tmp_path / "data.csv"), progress=CtrlC(1), **options)
    TABLE.select("a", "c", "good").write_csv(tmp_path / "data.csv")
    with pytest.raises(shoal.RunError, match="have changed since the run began"):
        shoal.resume(tmp_path / "run")
    assert (tmp_path / "run" / "checkpoint").exists()


# the parts of the way


def test_how_many_networks() -> None:
    assert count_candidates(check_settings({})) == 64
    assert count_candidates(check_settings({"networks": 3, "minutes": 5})) == 3
    assert count_candidates(check_settings({"minutes": 5})) > 64
    assert (
        count_candidates(check_settings({"minutes": 5, "cv": 2}))
        == count_candidates(check_settings({"minutes": 5})) // 2
    )
    assert count_candidates(check_settings({"minutes": 5, "cv": 10, "repeats": 30})) == 64
    assert count_candidates(check_settings({"minutes": 0.5})) == count_candidates(check_settings({"minutes": 1})) // 2


def test_measured_errors_become_weights_by_the_training_rows_alone() -> None:
    options = {"target": "u,v", "y_err": "u_err,v_err", "weight": "w", "ignore": "good"}
    settings = check_settings(options)
    dataset, split = read(TABLE, settings)
    weights = row_weights(dataset, split.train, dataset.weights())
    assert weights is not None
    errors, w = TABLE.select("u_err", "v_err").to_numpy(), TABLE["w"].to_numpy()[:, None]
    precision = errors**-2.0
    np.testing.assert_allclose(weights, w * precision / precision[split.train].mean(axis=0))
    hidden = pl.Series(np.isin(np.arange(ROWS), split.test))
    spoiled = TABLE.with_columns(pl.when(hidden).then(1e-3).otherwise(pl.col("v_err")).alias("v_err"))
    problems = []
    for table in (TABLE, spoiled):
        dataset, split = read(table, settings)
        problems.append(pose(dataset, split, Preparation.fit(dataset, split.train), settings))
    for name in ("x", "y", "weights", "validation_weights"):
        assert np.array_equal(getattr(problems[0], name), getattr(problems[1], name))


def test_without_errors_the_weights_are_those_of_the_rows() -> None:
    dataset, split = read(TABLE, check_settings({"target": "good", "weight": "w"}))
    assert np.array_equal(row_weights(dataset, split.train, dataset.weights()), TABLE["w"].to_numpy())  # type: ignore[arg-type]
    dataset, split = read("iris", check_settings({}))
    assert row_weights(dataset, split.train, dataset.weights()) is None


@pytest.mark.parametrize(("networks", "searched"), [(1, False), (2, True)])
def test_one_network_is_not_searched(networks: int, searched: bool) -> None:
    space = choose_space(96, Task.CLASSIFICATION, check_settings({"networks": networks, "hidden": "8", "l2": 0.0}))
    assert space.varies is searched
    assert dict(space.table())["hidden"] == "always 8"
