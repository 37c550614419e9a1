from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal as shoal_package
from shoal.cli import main
from shoal.cli.app import app
from shoal.data.output import joined
from shoal.data.raw import Raw
from shoal.data.readers import ReadOptions
from shoal.data.roles import Roles
from shoal.errors import DataError, Interrupted, RunError, ShoalWarning
from shoal.results import Interval, Task
from shoal.run import Run

SOURCE = str(Path(shoal_package.__file__).parents[1])
HEAVY = {"jax", "sklearn", "scipy", "polars", "matplotlib", "pandas", "numpy", "pydantic", "pyarrow"}
COMMANDS = ("fit", "predict", "encode", "evaluate", "report", "figures", "runs", "describe", "network", "datasets")


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


def python(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        capture_output=True, text=True, cwd=cwd, timeout=60,
        env={**os.environ, "PYTHONPATH": SOURCE},
    )  # fmt: skip


class FakePrediction:
    def frame(self) -> pl.DataFrame:
        return pl.DataFrame({"prediction": [1.5, 2.5], "std": [0.1, 0.2], "low": [1.0, 2.0], "high": [2.0, 3.0]})


class FakeRun:
    """A run as `shoal.load` gives it, which predicts a table of two rows."""

    reconstructs = False
    name = "fake"
    metrics: dict[str, Any] = {}
    folder = SimpleNamespace(config={"versions": {}, "command": "shoal fit fake.csv"})
    preparation = SimpleNamespace(task=Task.CLASSIFICATION)
    score_units = {"rmse": "GeV"}
    delimiter: str | None = None
    table = pl.DataFrame({"x": [1, 2], "colour": ["red", "blue"]})

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def read_new(self, data: str, options: Any) -> Raw:
        return Raw(data, data, self.table, Roles())

    def predict_table(self, raw: Raw) -> tuple[pl.DataFrame, FakePrediction]:
        return raw.table, FakePrediction()

    def unknown_categories(self, table: pl.DataFrame) -> dict[str, int]:
        return {"colour": 1, "shape": 0}

    def evaluate(self, data: str, options: Any) -> dict[str, Interval]:
        assert options == ReadOptions(delimiter=self.delimiter)
        return {"rmse": Interval(1.25, 1.0, 1.5), "r2": Interval(float("nan"), float("nan"), float("nan"))}

    def report(self) -> Path:
        return self.path / "report.html"


@pytest.fixture
def fake_run(monkeypatch: pytest.MonkeyPatch) -> type[FakeRun]:
    module = ModuleType("shoal.run")
    module.load = module.Run = FakeRun
    monkeypatch.setitem(sys.modules, "shoal.run", module)
    return FakeRun


def fails_with(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def load(path: str) -> None:
        raise error

    module = ModuleType("shoal.run")
    module.load = load
    monkeypatch.setitem(sys.modules, "shoal.run", module)


# Help


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command_has_examples_and_json(command: str) -> None:
    result = invoke(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout
    examples = result.stdout.split("Examples:")[1]
    assert f"shoal {command}" in examples


def test_help_lists_all_commands() -> None:
    result = invoke("-h")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert f"│ {command} " in result.stdout


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys; from shoal.cli import main; code = main(['--help'])\n"
        "print('\\nloaded:', *sorted({name.split('.')[0] for name in sys.modules}))\n"
        "sys.exit(code)"
    )
    result = python("-c", code, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split("loaded:")[1].split())
    assert "typer" in loaded
    assert not loaded & HEAVY


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    from shoal import __version__

    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"shoal {__version__}\n"


# Errors and exit codes


def test_unknown_command_suggests_the_nearest() -> None:
    result = invoke("fti")
    assert result.exit_code == 2
    assert "'fit'" in result.stderr


def test_unknown_option_suggests_the_nearest() -> None:
    result = invoke("fit", "iris", "--targt", "species")
    assert result.exit_code == 2
    assert "--target" in result.stderr


def test_missing_argument_is_a_usage_error() -> None:
    assert invoke("predict", "runs/iris-1").exit_code == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DataError("no column 'a b'.\nThere are: [x], y"), 2),
        (RunError("weights.safetensors is damaged"), 2),
        (Interrupted("stopped; go on with `shoal fit --resume runs/iris-1`"), 130),
    ],
)
def test_errors_of_shoal_are_shown_as_they_are(monkeypatch: pytest.MonkeyPatch, error: Exception, code: int) -> None:
    fails_with(monkeypatch, error)
    result = invoke("report", "runs/iris-1")
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr == f"error: {error}\n"


def test_an_unexpected_error_is_one_line_and_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, ZeroDivisionError("of\n all things"))
    monkeypatch.delenv("SHOAL_DEBUG", raising=False)
    result = invoke("report", "runs/iris-1")
    assert result.exit_code == 1
    first, second = result.stderr.splitlines()
    assert first == "error: unexpected ZeroDivisionError: of all things"
    assert "SHOAL_DEBUG=1" in second


def test_debug_lets_the_traceback_through(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, ZeroDivisionError("again"))
    monkeypatch.setenv("SHOAL_DEBUG", "1")
    result = invoke("report", "runs/iris-1")
    assert isinstance(result.exception, ZeroDivisionError)


def test_control_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_with(monkeypatch, KeyboardInterrupt())
    result = invoke("report", "runs/iris-1")
    assert result.exit_code == 130
    assert result.stderr == "error: interrupted\n"


def test_main_returns_the_exit_code(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    fails_with(monkeypatch, RunError("gone"))
    assert main(["report", "nowhere"]) == 2
    assert capsys.readouterr().err == "error: gone\n"


def test_warnings_of_shoal_are_lines_and_others_are_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def load(path: str) -> FakeRun:
        warnings.warn("one run is damaged", ShoalWarning, stacklevel=1)
        return FakeRun(path)

    module = ModuleType("shoal.run")
    module.load = load
    monkeypatch.setitem(sys.modules, "shoal.run", module)
    (tmp_path / "report.html").write_text("<html>")
    before = warnings.showwarning
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        shown = warnings.showwarning
        result = invoke("report", str(tmp_path))
        assert warnings.showwarning is shown
    assert warnings.showwarning is before
    assert result.exit_code == 0
    assert result.stderr == "warning: one run is damaged\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="pipes of Unix")
def test_a_closed_pipe_is_quiet(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stdout:
        result = subprocess.run(
            [sys.executable, "-m", "shoal", "datasets"],
            stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60,
            env={**os.environ, "PYTHONPATH": SOURCE},
        )  # fmt: skip
    assert result.stderr == ""
    assert result.returncode == 1


# predict, evaluate, report


@pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.parquet", "p.jsonl", "p.ndjson", "P.CSV"])
def test_predict_writes_by_extension(fake_run: type[FakeRun], tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    result = invoke("predict", "runs/a-1", "new.csv", "-o", str(path), "--quiet")
    assert result.exit_code == 0, result.stderr
    assert (result.stdout, result.stderr) == ("", "")
    read = {
        ".csv": pl.read_csv,
        ".tsv": lambda p: pl.read_csv(p, separator="\t"),
        ".parquet": pl.read_parquet,
    }.get(path.suffix.lower(), pl.read_ndjson)
    table = read(path)
    assert table.columns == ["x", "colour", "prediction", "std", "low", "high"]
    assert table["colour"].to_list() == ["red", "blue"]
    assert table["prediction"].to_list() == [1.5, 2.5]
    assert os.listdir(tmp_path) == [name]


def test_predict_prints_csv_and_notes_apart(fake_run: type[FakeRun]) -> None:
    result = invoke("predict", "runs/a-1", "new.csv")
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout.splitlines()[:2] == ["x,colour,prediction,std,low,high", "1,red,1.5,0.1,1.0,2.0"]
    assert "column 'colour': 1 value was not seen in training" in result.stderr
    assert "shape" not in result.stderr


def test_predict_as_json(fake_run: type[FakeRun], tmp_path: Path) -> None:
    told = json.loads(invoke("predict", "runs/a-1", "new.csv", "--json").stdout)
    assert told["rows"] == 2
    assert told["unknown_categories"] == {"colour": 1}
    assert told["predictions"][1] == {
        "x": 2, "colour": "blue", "prediction": 2.5, "std": 0.2, "low": 2.0, "high": 3.0,
    }  # fmt: skip
    path = str(tmp_path / "p.csv")
    told = json.loads(invoke("predict", "runs/a-1", "new.csv", "--json", "--out", path).stdout)
    assert told["output"] == path
    assert "predictions" not in told


def test_predict_replaces_a_file_only_with_force(fake_run: type[FakeRun], tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("precious")
    result = invoke("predict", "runs/a-1", "new.csv", "-o", str(path))
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert path.read_text() == "precious"
    assert invoke("predict", "runs/a-1", "new.csv", "-o", str(path), "--force").exit_code == 0
    assert path.read_text().startswith("x,colour,prediction")


@pytest.mark.parametrize(
    ("out", "message"),
    [("p.xlsx", ".csv, .tsv, .parquet"), ("p", "got --out"), ("no/such/p.csv", "there is no folder")],
)
def test_predict_refuses_an_output_before_any_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, out: str, message: str
) -> None:
    fails_with(monkeypatch, AssertionError("the run was read"))
    result = invoke("predict", "runs/a-1", "new.csv", "-o", str(tmp_path / out))
    assert result.exit_code == 2
    assert message in result.stderr


def test_columns_of_the_same_name_are_both_kept() -> None:
    table = pl.DataFrame({"std": [5.0], "shoal_std": [6.0], "x": [7.0]})
    full = joined(table, pl.DataFrame({"prediction": [1.0], "std": [2.0]}))
    assert full.to_dicts() == [{"std": 5.0, "shoal_std": 6.0, "x": 7.0, "prediction": 1.0, "shoal_shoal_std": 2.0}]


def test_predict_says_which_columns_it_renamed(fake_run: type[FakeRun], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_run, "table", pl.DataFrame({"low": [1, 2]}))
    result = invoke("predict", "runs/a-1", "new.csv")
    assert "added as shoal_low" in result.stderr
    assert result.stdout.startswith("low,prediction,std,shoal_low,high\n")


def test_evaluate(fake_run: type[FakeRun]) -> None:
    result = invoke("evaluate", "runs/a-1", "later.csv", "--quiet")
    assert "RMSE [GeV]" in result.stdout
    assert "1.25 [1.00, 1.50]" in result.stdout
    assert result.stderr == ""


def test_evaluate_as_json_has_null_for_nan(fake_run: type[FakeRun]) -> None:
    scores = json.loads(invoke("evaluate", "runs/a-1", "later.csv", "--json").stdout)
    assert scores["rmse"] == {"value": 1.25, "low": 1.0, "high": 1.5, "method": "bootstrap"}
    assert scores["r2"]["value"] is None


def test_evaluate_reads_as_told(fake_run: type[FakeRun], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fake_run, "delimiter", ";")
    assert invoke("evaluate", "runs/a-1", "later.csv", "--delimiter", ";").exit_code == 0


def test_report_prints_the_page(fake_run: type[FakeRun], tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    result = invoke("report", str(tmp_path))
    assert result.exit_code == 2
    assert "has no page" in result.stderr
    page.write_text("<html>")
    assert invoke("report", str(tmp_path)).stdout == f"{page}\n"
    assert json.loads(invoke("report", str(tmp_path), "--json").stdout) == {"page": str(page)}


# runs, describe, network, datasets


def test_runs_of_an_empty_place(tmp_path: Path) -> None:
    result = invoke("runs", str(tmp_path / "none"))
    assert result.exit_code == 0
    assert "No finished runs" in result.stdout
    assert json.loads(invoke("runs", str(tmp_path / "none"), "--json").stdout) == []


def test_runs_leaves_out_what_is_not_a_run_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "not-a-run").mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        result = invoke("runs", str(tmp_path))
    assert result.exit_code == 0
    assert "warning: " in result.stderr
    assert "not-a-run" in result.stderr


@pytest.fixture
def measurements(tmp_path: Path) -> Path:
    path = tmp_path / "measurements.csv"
    lines = [f"{i};{i},5;{2 * i},25;0,{i % 7};run" for i in range(1, 31)]
    path.write_text("\n".join(["n;x;y;sigma;what", *lines]))
    return path


def test_describe_prints_columns_and_warnings(measurements: Path) -> None:
    result = invoke("describe", str(measurements), "--target", "y", "--ignore", "n", "--decimal-comma")
    assert result.exit_code == 0, result.stderr
    assert "30 rows" in result.stdout
    assert "regression" in result.stdout
    assert "2.25" in result.stdout  # the least y, read with its decimal comma
    assert "warning: " in result.stderr


def test_describe_as_json(measurements: Path) -> None:
    result = invoke("describe", str(measurements), "--target=x,y", "--id", "n", "--json")
    told = json.loads(result.stdout)
    roles = {column["name"]: column["role"] for column in told["columns"]}
    assert roles["n"] == "id"
    assert (roles["x"], roles["y"]) == ("target", "target")
    assert told["rows"] == 30
    assert told["warnings"]


def test_describe_suggests_a_column(measurements: Path) -> None:
    result = invoke("describe", str(measurements), "--target", "sigmaa")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert "'sigma'" in result.stderr
    assert result.stdout == ""


@pytest.mark.slow
def test_a_missing_file_is_two_lines_at_most(tmp_path: Path) -> None:
    result = python("-m", "shoal", "describe", "nothing.csv", cwd=tmp_path)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert len(result.stderr.splitlines()) <= 2


def test_network_prints_the_summary_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):  # the same drawing may be written again
        result = invoke("network", "4 8:relu 3:softmax")
        assert result.exit_code == 0, result.stderr
        assert "67 parameters" in result.stdout
        assert "drawing: network-4-8-relu-3-softmax.svg" in result.stdout
    assert os.listdir(tmp_path) == ["network-4-8-relu-3-softmax.svg"]


def test_network_as_json() -> None:
    assert json.loads(invoke("network", "4 8:relu 3:softmax", "--json").stdout)["parameter_count"] == 67


@pytest.mark.parametrize(("name", "start"), [("n.png", b"\x89PNG"), ("n.svg", b"<?xml"), ("n.pdf", b"%PDF")])
def test_network_writes_the_drawing(tmp_path: Path, name: str, start: bytes) -> None:
    result = invoke("network", "2 3:tanh 1", "-o", str(tmp_path / name))
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / name).read_bytes().startswith(start)
    assert os.listdir(tmp_path) == [name]
    assert invoke("network", "2 3:tanh 1", "-o", str(tmp_path / name)).exit_code == 2


def test_network_names_a_wrong_activation(tmp_path: Path) -> None:
    result = invoke("network", "4 8:relo 3", "-o", str(tmp_path / "n.png"))
    assert result.exit_code == 2
    assert "'relu'" in result.stderr
    assert os.listdir(tmp_path) == []
    assert invoke("network", "4 8:relu 3", "-o", str(tmp_path / "n.gif")).exit_code == 2


def test_network_of_a_run(iris_run: Run, tmp_path: Path) -> None:
    run, best = str(iris_run.path), iris_run.member()
    result = invoke("network", run)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith(f"network {best.id} of ")
    assert "dense/kernel  (4, 6)  mean " in result.stdout
    assert f"{best.weights['dense']['bias'][0]:.4g}" in result.stdout
    other = iris_run.predictor.members[-1]
    document = json.loads(invoke("network", run, "--member", str(other.id), "--json").stdout)
    np.testing.assert_allclose(document["weights"]["dense"]["kernel"], other.weights["dense"]["kernel"])
    assert invoke("network", run, "-o", str(tmp_path / "w.csv")).exit_code == 0
    assert invoke("network", run, "-o", str(tmp_path / "n.svg"), "--show-weights", "values").exit_code == 0
    assert (tmp_path / "n.svg").read_bytes().startswith(b"<?xml")
    table = pl.read_csv(tmp_path / "w.csv")
    assert table.height == iris_run.network.parameter_count
    assert table.columns == ["layer", "array", "axis_0", "axis_1", "value"]
    for words, error in (
        ((run, "--member", "99"), "kept no network number 99; it kept "),
        (("4 3", "--member", "1"), "--member names a network of a run"),
        ((run + "/nothing",), "there is no run folder"),
        ((run, "--show-weights", "values"), "say where it goes, e.g. -o network.svg"),
        ((run, "-o", str(tmp_path / "w.xyz")), "a network is written as .png"),
        ((run, "--unrolled", "-o", str(tmp_path / "u.png")), "'dense' (Dense) comes before any of them"),
    ):
        refused = invoke("network", *words)
        assert refused.exit_code == 2
        assert error in refused.stderr


def test_datasets() -> None:
    names = [row["name"] for row in json.loads(invoke("datasets", "--json").stdout)]
    assert "iris" in names
    assert "damped_oscillation" in names
    table = invoke("datasets").stdout
    assert all(name in table for name in names)
