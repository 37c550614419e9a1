"""The contract of all trackers: what they were told is read back by their own libraries, and is what the run holds."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.runs.folder import RunFolder
from shoal.settings import FitSettings, choices_of
from shoal.tracking.finished import FinishedRun, read_finished
from shoal.tracking.tracker import check_tracker, get_tracker, track
from shoal.tracking.trackers import mlflow as mlflow_tracker
from shoal.tracking.trackers import tensorboard as tensorboard_tracker

CURVES = ("train_", "validation_")  # how their names begin
QUICK: dict[str, Any] = {"networks": 2, "hidden": (4,), "epochs": 3, "batch_size": 32, "page": False}


@dataclass
class Read:
    """What a tracker's own library reads: numbers as they are, hyperparameters as texts, curves by their names."""

    scores: dict[str, float]
    results: dict[int, dict[str, float]] = field(default_factory=dict)
    hyperparameters: dict[int, dict[str, str]] = field(default_factory=dict)
    curves: dict[tuple[int, int | None, str], np.ndarray] = field(default_factory=dict)
    verdict: str = ""


def _tensorboard(folder: Path) -> Read:
    pytest.importorskip("tensorboard")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

    def loaded(place: Path) -> Any:
        return EventAccumulator(str(place), size_guidance={"scalars": 0}).Reload()

    def scalars(events: Any) -> dict[str, np.ndarray]:
        return {tag: np.array([event.value for event in events.Scalars(tag)]) for tag in events.Tags()["scalars"]}

    root = loaded(folder)
    read = Read({name: values[0] for name, values in scalars(root).items()})
    read.verdict = root.Tensors("verdict/text_summary")[0].tensor_proto.string_val[0].decode()
    for place in folder.glob("candidate-*"):
        events, number = loaded(place), int(place.name.split("-")[1])
        start = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        given = HParamsPluginData.FromString(start).session_start_info.hparams
        read.hyperparameters[number] = {name: _text(value) for name, value in given.items()}
        within = {int(p.name.split("-")[1]): scalars(loaded(p)) for p in place.glob("network-*")}
        own = scalars(events)
        read.results[number] = {name: own.pop(name)[0] for name in list(own) if not name.startswith(CURVES)}
        each: dict[int | None, dict[str, np.ndarray]] = {None: own, **within}
        read.curves |= {(number, n, name): values for n, curves in each.items() for name, values in curves.items()}
    return read


def _text(value: Any) -> str:
    return str(getattr(value, value.WhichOneof("kind")))


def _mlflow(folder: Path) -> Read:
    pytest.importorskip("mlflow")
    with mlflow_tracker._quiet():
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=folder.as_uri())
        (experiment,) = [each for each in client.search_experiments() if each.name != "Default"]
        runs = client.search_runs([experiment.experiment_id], max_results=1000)
        (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
        read = Read(dict(parent.data.metrics), verdict=parent.data.tags["mlflow.note.content"])
        assert {file.path for file in client.list_artifacts(parent.info.run_id)} >= {"metrics.json", "model"}
        for run in runs:
            assert run.info.status == "FINISHED"
            if run is parent:
                continue
            assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
            number = int(run.data.tags["mlflow.runName"].split()[1])
            read.hyperparameters[number] = dict(run.data.params)
            read.results[number] = {}
            for key, last in run.data.metrics.items():
                start, _, name = key.rpartition("/")
                history = sorted(client.get_metric_history(run.info.run_id, key), key=lambda metric: metric.step)
                if name.startswith(CURVES):
                    network = int(start.removeprefix("network_")) if start else None
                    assert [metric.step for metric in history] == list(range(1, len(history) + 1))
                    read.curves[number, network, name] = np.array([metric.value for metric in history])
                else:
                    read.results[number][name] = last
    return read


READERS: dict[str, Callable[[Path], Read]] = {"tensorboard": _tensorboard, "mlflow": _mlflow}


def copied(run: shoal.Run, to: Path) -> RunFolder:
    shutil.copytree(run.path, to)
    return RunFolder.open(to)


def agree(run: FinishedRun, read: Read) -> None:
    """Check that what was read back is what the run holds."""
    assert read.verdict == run.verdict
    assert read.scores == pytest.approx(dict(run.scores), rel=1e-6)
    assert set(read.results) == {candidate.number for candidate in run.candidates}
    count = 0
    for candidate in run.candidates:
        assert read.results[candidate.number] == pytest.approx(dict(candidate.results), rel=1e-6)
        told = read.hyperparameters[candidate.number]
        assert set(told) == set(candidate.hyperparameters)
        for name, value in candidate.hyperparameters.items():
            same = float(told[name]) == value if type(value) in (int, float) else told[name] == str(value)
            assert same, (name, told[name], value)
        alone = len(candidate.curves) == 1
        for network, curves in candidate.curves.items():
            for name, values in curves.items():
                np.testing.assert_allclose(
                    read.curves[candidate.number, None if alone else network, name], values, 1e-6
                )
                count += 1
    assert count == len(read.curves) > 0


def test_trackers_are_those_that_can_be_chosen() -> None:
    assert set(READERS) == set(choices_of("track"))
    for name in READERS:
        assert get_tracker(name).PACKAGE in {"tensorboardX", "mlflow"}


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_what_was_told_is_read_back(iris_run: shoal.Run, name: str, tmp_path: Path) -> None:
    folder = copied(iris_run, tmp_path / "run")
    track(name, folder)
    agree(read_finished(folder), READERS[name](folder.path / "tracking" / name))


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
def test_each_of_several_networks_of_a_candidate_has_its_curves(name: str, tmp_path: Path) -> None:
    run = shoal.fit("iris", **QUICK, cv=2, out=str(tmp_path / "run"), track=name)
    finished = read_finished(run.folder)
    assert [len(candidate.curves) for candidate in finished.candidates] == [2, 2]
    agree(finished, READERS[name](run.path / "tracking" / name))
    assert run.folder.config["settings"]["track"] == name
    again = shoal.fit("iris", **QUICK, out=str(tmp_path / "run"), force=True)  # which replaces what was tracked, too
    assert not (again.path / "tracking").exists()


@pytest.mark.slow
def test_of_several_targets_each_has_its_scores(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {"x": rng.standard_normal(80).tolist(), "hot": [False, True] * 40, "wet": [True, True, False, False] * 20}
    run = shoal.fit(table, target=["hot", "wet"], **QUICK, out=str(tmp_path / "run"), track="tensorboard")
    read = _tensorboard(run.path / "tracking" / "tensorboard")
    for target, of_target in run.metrics["targets"].items():
        assert read.scores[f"test/{target}/accuracy"] == pytest.approx(of_target["test"]["accuracy"]["value"])


def test_the_same_run_gives_the_same_event_files(iris_run: shoal.Run, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    told = read_finished(iris_run.folder)
    for name in ("a", "b"):
        tensorboard_tracker.write(told, str(tmp_path / name))
    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("events*"))
    assert len(files) == 1 + len(told.candidates)
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


@pytest.mark.slow
def test_mlflow_goes_where_the_user_says(
    iris_run: shoal.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "elsewhere").as_uri())
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "petals")
    folder = copied(iris_run, tmp_path / "run")
    track("mlflow", folder)
    assert capfd.readouterr() == ("", "")
    assert not (folder.path / "tracking").exists()
    agree(read_finished(folder), _mlflow(tmp_path / "elsewhere"))


@pytest.mark.slow
def test_a_server_that_is_away_costs_a_sentence_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    words = ["fit", "iris", "--networks", "1", "--hidden", "4", "--epochs", "2", "--no-page", "--track", "mlflow"]
    result = CliRunner().invoke(app, [*words, "--out", str(tmp_path / "run")], env={"COLUMNS": "400", "NO_COLOR": "1"})
    assert result.exit_code == 0
    told = [line for line in result.stderr.splitlines() if line.startswith("warning: mlflow")]
    assert len(told) == 1
    assert told[0].endswith(f"the run itself is kept in {tmp_path / 'run'}")
    assert shoal.load(tmp_path / "run").metrics["rows"]["test"] == 30


def test_a_disk_that_is_full_costs_a_sentence_and_not_the_run(
    iris_run: shoal.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboard_tracker, "write", full)
    with pytest.warns(shoal.ShoalWarning, match="tensorboard was not told of the whole run .*No space left on device"):
        track("tensorboard", iris_run.folder)


def test_a_missing_package_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in ("mlflow", "tensorboardX") else found(name)
    )
    for name in READERS:
        with pytest.raises(shoal.SettingError, match=rf"pip install 'shoal\[{name}\]'"):
            shoal.fit(str(tmp_path / "no such file.csv"), track=name)
    check_tracker(None)


def test_an_unknown_tracker_is_refused() -> None:
    with pytest.raises(shoal.SettingError, match="track: expected one of tensorboard, mlflow, got 'wandb'"):
        shoal.fit("iris", track="wandb")
    assert "tracking" in str(FitSettings.model_fields["track"].description)
