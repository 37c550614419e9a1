from __future__ import annotations

import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from shoal.cli.app import app
from shoal.cli.from_settings import parameter
from shoal.evaluation.looks import Looks
from shoal.setting_panels import PYTHON_ONLY, flag
from shoal.settings import FitSettings, check_settings

SCORE = {"value": 0.9667, "low": 0.9, "high": 1.0, "method": "bootstrap"}
METRICS = {
    "task": "classification",
    "rows": {"train": 96, "validation": 24, "test": 30},
    "networks": {"trained": 64, "kept": 8, "diverged": 0},
    "engine": {"name": "native"},
    "test": {"accuracy": SCORE, "log_loss": {**SCORE, "value": 0.123, "low": 0.05, "high": 0.2}},
    "data": {"warnings": ["Only 40 rows: the test score will be very uncertain."]},
    "baselines": {"logistic_regression": {"accuracy": SCORE, "log_loss": {**SCORE, "value": None}}},
    "verdict": {"text": "The networks are right on [29] of 30 test rows."},
}


class FakeRun:
    path = Path("runs/iris-1")
    metrics = METRICS
    looks = Looks(1)


class Calls:
    """What the command line asked of `shoal.fit`."""

    def __init__(self) -> None:
        self.data: Any = None
        self.settings: dict[str, Any] = {}
        self.resumed: Any = None
        self.progress: Any = None

    def fit(self, data: Any, *, progress: Any, **settings: Any) -> FakeRun:
        self.data, self.settings, self.progress = data, settings, progress
        progress.stage("compiling")
        progress.training(trained=1, total=4, epoch=3, best=0.5, metric="accuracy", seconds_left=9.0)
        return FakeRun()

    def resume(self, path: str, *, progress: Any, minutes: float | None, workers: int | None) -> FakeRun:
        self.resumed, self.progress = (path, minutes, workers), progress
        return FakeRun()


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    calls = Calls()
    module = ModuleType("shoal.fit")
    module.fit, module.resume = calls.fit, calls.resume
    monkeypatch.setitem(sys.modules, "shoal.fit", module)
    return calls


def fit(*words: str) -> Any:
    return CliRunner().invoke(app, ["fit", *words], prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def help_of_fit() -> str:
    return str(fit("--help").stdout)


@pytest.mark.parametrize("name", sorted(set(FitSettings.model_fields) - PYTHON_ONLY))
def test_every_setting_has_a_flag_in_the_help(help_of_fit: str, name: str) -> None:
    assert f" {flag(name)} " in help_of_fit


@pytest.mark.parametrize("name", sorted(PYTHON_ONLY))
def test_only_what_is_for_python_has_no_flag(help_of_fit: str, name: str) -> None:
    assert str(FitSettings.model_fields[name].description).startswith("Python only")
    assert flag(name) not in help_of_fit


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "settings"),
    [
        ([], {}),
        (["--target", "a", "--target", "b"], {"target": ("a", "b")}),
        (
            ["--target", "a, b", "--ignore=c,d", "--ignore", "e"],
            {"target": ("a", "b"), "ignore": ("c", "d", "e")},
        ),
        (["--hidden", "64,32"], {"hidden": "64,32"}),
        (["--hidden", "64", "--hidden", "32"], {"hidden": "64,32"}),
        (["--hidden", ""], {"hidden": ""}),
        (["--activation", "relu,tanh", "--hidden=4,4"], {"activation": "relu,tanh", "hidden": "4,4"}),
        (["--l2", "0", "--learning-rate", "1e-3"], {"l2": 0.0, "learning_rate": 0.001}),
        (["--minutes", "0.5", "--networks", "3"], {"minutes": 0.5, "networks": 3}),
        (["--cv", "5", "--repeats", "2"], {"cv": 5, "repeats": 2}),
        (["--no-header", "--decimal-comma"], {"header": False, "decimal_comma": True}),
        (["--force", "-o", "here"], {"force": True, "out": "here"}),
        (["--memory", "1.5 GiB"], {"memory": "1.5 GiB"}),
        (["--seed", "7", "--optimizer", "lion"], {"seed": 7, "optimizer": "lion"}),
    ],
)
def test_flags_become_settings_and_nothing_else(calls: Calls, words: list[str], settings: dict[str, Any]) -> None:
    result = fit("iris", *words)
    assert result.exit_code == 0, result.stderr
    assert calls.data == "iris"
    assert calls.settings == settings
    check_settings(calls.settings)


def test_the_empty_list_of_layers_means_no_hidden_layer(calls: Calls) -> None:
    fit("iris", "--hidden", "")
    assert check_settings(calls.settings).fixed() == {"hidden": ()}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--networks", "0"], "networks: .*got networks=0"),
        (["--memory", "lots"], "memory must be .*4GB.*'lots'"),
        (["--cv", "1"], "cv: expected 2 or more, got cv=1"),
        (["--repeats", "0"], "repeats: .*got repeats=0"),
        (["--l2", "-1"], r"l2: .*got l2=-1\.0"),
        (["--learning-rate", "-0.001"], "learning_rate: "),
        (["--optimizer", "adm"], "optimizer: .*'adam'"),
        (["--hidden", "64,-3"], "hidden: "),
        (["--hidden", "64,many"], "hidden: "),
        (["--test-size", "0.9", "--validation-size", "0.2"], "must stay below 1"),
    ],
)
def test_values_without_sense_are_errors_before_any_work(calls: Calls, words: list[str], message: str) -> None:
    result = fit("iris", *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(result.stderr)
    assert calls.data is None


def test_text_for_a_number_is_a_usage_error(calls: Calls) -> None:
    result = fit("iris", "--networks", "many")
    assert result.exit_code == 2
    assert "--networks" in result.stderr
    assert "expected a whole number, got 'many'" in result.stderr


def test_no_data_says_what_to_give(calls: Calls) -> None:
    result = fit()
    assert result.exit_code == 2
    assert "DATA is missing" in result.stderr
    assert "shoal fit iris" in result.stderr


def test_summary_has_verdict_table_and_page(calls: Calls) -> None:
    result = fit("iris")
    assert result.stdout.startswith(METRICS["verdict"]["text"])
    assert "shoal (8 of 64 networks)" in result.stdout
    assert "0.967 [0.900, 1.000]" in result.stdout
    assert "logistic regression" in result.stdout
    assert "warning: Only 40 rows" in result.stdout
    assert str(Path("runs/iris-1/report.html")) in result.stdout
    assert result.stderr.splitlines() == [
        "compiling",
        "1/4 networks · epoch 3 · best accuracy 0.5 · 9 s left",
    ]


def test_summary_says_how_often_each_candidate_was_trained(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    best = {"candidate": 3, "networks": 10, "score": 0.1234, "standard_error": 0.0211}
    search = {"candidates_looked_at": 7, "cv": 5, "repeats": 2, "kept": [best]}
    monkeypatch.setattr(FakeRun, "metrics", {**METRICS, "search": search})
    line = "7 candidates, each trained in 5 folds × 2 repeats; the best scored 0.123 ± 0.021 (loss out of fold)"
    assert line in fit("iris").stdout
    monkeypatch.setattr(FakeRun, "metrics", {**METRICS, "search": {**search, "candidates_looked_at": 64}})
    assert "candidates, each trained" not in fit("iris").stdout


def test_json_alone_on_stdout(calls: Calls) -> None:
    told = json.loads(fit("iris", "--json").stdout)
    assert told["path"] == str(Path("runs/iris-1"))
    assert told["page"] == str(Path("runs/iris-1/report.html"))
    assert told["test"] == METRICS["test"]


def test_quiet_prints_only_the_run(calls: Calls) -> None:
    result = fit("iris", "--quiet")
    assert result.stdout == str(Path("runs/iris-1")) + "\n"
    assert result.stderr == ""


def test_resume_goes_on_with_a_run(calls: Calls) -> None:
    assert fit("--resume", "runs/iris-1", "--minutes", "2", "--workers", "3").exit_code == 0
    assert calls.resumed == ("runs/iris-1", 2.0, 3)
    assert calls.data is None


@pytest.mark.parametrize("words", [["--seed", "1"], ["iris"], ["--config", "config.toml"]])
def test_resume_takes_no_other_settings(calls: Calls, words: list[str]) -> None:
    result = fit("--resume", "runs/iris-1", *words)
    assert result.exit_code == 2
    assert "leave out" in result.stderr
    assert calls.resumed is None


@pytest.fixture
def config(tmp_path: Path) -> Path:
    from shoal.runs.config_file import write_config

    settings = {"target": ["species"], "seed": 3, "hidden": [8], "out": "elsewhere", "force": True, "l2": 0.0}
    return write_config(tmp_path, settings, data={"name": "iris", "source": "built in"})


def test_config_repeats_a_run_elsewhere(calls: Calls, config: Path) -> None:
    assert fit("--config", str(config)).exit_code == 0
    assert calls.data == "iris"
    assert calls.settings == {"target": ["species"], "seed": 3, "hidden": [8], "l2": 0.0}
    assert check_settings(calls.settings).hidden == (8,)


def test_flags_win_over_the_config(calls: Calls, config: Path) -> None:
    assert fit("wine", "--config", str(config.parent), "--seed", "4", "--target", "cultivar").exit_code == 0
    assert calls.data == "wine"
    assert calls.settings["seed"] == 4
    assert calls.settings["target"] == ("cultivar",)
    assert calls.settings["l2"] == 0.0


def test_config_of_data_from_python_needs_data(calls: Calls, tmp_path: Path) -> None:
    from shoal.runs.config_file import write_config

    config = write_config(tmp_path, {"seed": 3}, data={"name": "table", "source": "python"})
    result = fit("--config", str(config))
    assert result.exit_code == 2
    assert "does not say which file" in result.stderr


def test_config_must_be_there_and_be_one(calls: Calls, tmp_path: Path) -> None:
    assert "config.toml" in fit("--config", str(tmp_path / "config.toml")).stderr
    assert "expects the config.toml" in fit("--config", str(tmp_path / "other.ini")).stderr
    (tmp_path / "config.toml").write_text("not = toml = at all")
    result = fit("--config", str(tmp_path))
    assert result.exit_code == 2
    assert "damaged" in result.stderr


def test_a_setting_of_a_new_type_needs_a_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    from pydantic.fields import FieldInfo

    strange = FieldInfo(annotation=dict[str, int] | None, default=None, description="strange")
    monkeypatch.setitem(FitSettings.model_fields, "strange", strange)
    with pytest.raises(TypeError, match="no flag is known"):
        parameter("strange")
