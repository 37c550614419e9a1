"""Variations of real, tiny runs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

import shoal
from shoal.cli.app import app
from shoal.evaluation.systematics.variations import read_variations

TINY: dict[str, Any] = {"networks": 3, "hidden": (4,), "epochs": 5, "batch_size": 64, "page": False}
YIELDS: dict[str, Any] = {"signal_yield": 30.0, "background_yield": 500.0, "background_uncertainty": 0.1}
SCALE = {"energy scale": {"columns": ["x", "z"], "scale": 0.1}}


def events(rows: int = 600, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    signal = np.arange(rows) % 2 == 0
    x = rng.normal(size=(rows, 2)) + 1.5 * signal[:, None]
    weights = np.where(rng.random(rows) < 0.1, -0.5, 1.0)
    return pl.DataFrame(
        {
            "x": x[:, 0],
            "z": x[:, 1],
            "kind": np.where(signal, "signal", "background"),
            "w": weights,
            "w_up": weights * np.where(x[:, 0] > 1, 1.2, 0.9),
            "x_err": rng.uniform(0.05, 0.1, rows),
            "day": rng.integers(0, 40, rows),
        }
    )


def invoke(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), prog_name="shoal", env={"COLUMNS": "300", "NO_COLOR": "1"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    events().write_csv(root / "events.csv")
    roles: dict[str, Any] = {"target": "kind", "weight": "w", "ignore": "w_up,x_err,day"}
    shoal.fit(str(root / "events.csv"), out=str(root / "run"), **roles, **TINY, **YIELDS)
    shoal.fit("iris", out=str(root / "iris"), **TINY)
    x = np.random.default_rng(1).normal(size=(300, 2))
    line = pl.DataFrame({"u": x[:, 0], "v": x[:, 1], "y": 3 * x[:, 0] - x[:, 1] + 2})
    linear: dict[str, Any] = {**TINY, "activation": "linear", "feature_encoding": "plain", "epochs": 60, "networks": 2}
    shoal.fit(line, target="y", out=str(root / "line"), **linear)
    line.write_csv(root / "line.csv")
    return root


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> shoal.Run:
    """A copy that may be written in."""
    return shoal.load(shutil.copytree(folder / "run", tmp_path / "run"))


def test_the_nominal_numbers_are_those_of_the_fit_and_the_use_is_counted(run: shoal.Run) -> None:
    found = shoal.systematics(run, SCALE)
    for name, score in run.metrics["test"].items():
        assert found.nominal[found.at(name)] == pytest.approx(score["value"], rel=1e-6)
    selection = run.metrics["selection"]
    assert found.cut == selection["cut"]
    for name in ("signal_efficiency", "background_efficiency"):
        assert found.nominal[found.at(name)] == pytest.approx(selection[name]["value"])
    at = found.at("significance")
    assert found.nominal[at] == pytest.approx(selection["significance"]["asimov"]["value"])
    width = selection["significance"]["asimov"]["high"] - selection["significance"]["asimov"]["low"]
    assert found.error[at] == pytest.approx(width / 3.92, rel=0.3)
    assert found.main == "significance"
    assert found.rows == run.metrics["rows"]["test"]
    assert run.metrics["test_openings"] == 2


def test_shifts_are_those_of_predictions_for_a_shifted_table(run: shoal.Run, folder: Path) -> None:
    test = events()[run.folder.scored("test").rows]
    found = shoal.systematics(run, SCALE)
    for side, factor in (("up", 1.1), ("down", 0.9)):
        shifted = test.with_columns(pl.col("x", "z") * factor)
        scores = run.evaluate(shifted)
        values = found.effects[0].sides[side].values  # type: ignore[index]
        assert values[found.at("log_loss")] == pytest.approx(scores["log_loss"].value, rel=1e-6)
        assert values[found.at("roc_auc")] == pytest.approx(scores["roc_auc"].value, rel=1e-6)
    assert found.effects[0].same_rows


def test_every_kind_of_variation(run: shoal.Run, tmp_path: Path) -> None:
    events(500, seed=7).write_csv(tmp_path / "other.csv")
    (tmp_path / "v.toml").write_text(
        '[scale]\ncolumns = ["x", "z"]\nscale = 0.02\n'
        '[error]\ncolumns = "x"\nsigma_column = "x_err"\n'
        '[noise]\ncolumns = ["z"]\nsmear = 0.3\n'
        '[pile_up]\nweight_up = "w_up"\n'
        '[rate]\nclass = "background"\nrate = 0.2\n'
        '[generator]\nfile_down = "other.csv"\n'
    )
    found = shoal.systematics(run, tmp_path / "v.toml")
    by_name = {effect.name: effect for effect in found.effects}
    assert [effect.mirrored for effect in found.effects] == [None, None, "down", "down", None, "up"]
    assert [effect.same_rows for effect in found.effects] == [True] * 5 + [False]
    rate = by_name["rate"].sides["up"]
    assert rate.values[found.at("background_events")] == pytest.approx(
        1.2 * found.nominal[found.at("background_events")]
    )
    assert rate.shift[found.at("signal_events")] == 0.0
    generator = by_name["generator"].sides["down"]
    bins = found.where(found.observables[-1])
    assert generator.values[bins].sum() == pytest.approx(500.0)  # the yield, whatever the size of the table
    parts = [effect.upward for effect in found.effects]
    np.testing.assert_allclose(found.up, np.sqrt(np.sum(np.square(parts), axis=0)))


def test_another_table_of_the_same_events_gives_its_test_rows_in_pairs(run: shoal.Run, tmp_path: Path) -> None:
    events().with_columns(pl.col("x") * 1.1, pl.col("z") * 1.1).write_csv(tmp_path / "up.csv")
    found = shoal.systematics(run, {**SCALE, "table": {"file_up": str(tmp_path / "up.csv")}})
    by_columns, by_table = found.effects
    assert by_table.same_rows
    np.testing.assert_allclose(by_table.sides["up"].values, by_columns.sides["up"].values, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(by_table.sides["up"].error, by_columns.sides["up"].error, rtol=1e-3, atol=1e-6)


def test_other_rows_are_not_counted_as_test_rows(run: shoal.Run) -> None:
    found = shoal.systematics(run, SCALE, events(200, seed=3), cut=0.5, bins=7)
    assert (found.rows, found.what, found.cut) == (200, "rows given", 0.5)
    assert len(found.bins.filter(histogram="signal", variation="total")) == 7
    assert run.metrics["test_openings"] == 1


def test_the_data_of_the_fit_give_its_test_rows(run: shoal.Run) -> None:
    by_source, by_data = shoal.systematics(run, SCALE), shoal.systematics(run, SCALE, events())
    np.testing.assert_allclose(by_source.nominal, by_data.nominal)
    np.testing.assert_allclose(by_source.up, by_data.up)
    assert by_data.what == "test rows of run"
    assert run.metrics["test_openings"] == 3


def test_the_same_call_gives_the_same_numbers(run: shoal.Run) -> None:
    smear = {"noise": {"columns": "x", "smear": 0.2}}
    one, other = (shoal.systematics(run, smear) for _ in range(2))
    assert one.frame.equals(other.frame)
    assert one.bins.equals(other.bins)


@pytest.mark.slow
def test_groups_are_drawn_whole(tmp_path: Path) -> None:
    table = events(200).with_columns(event=pl.int_range(200))
    table = pl.concat([table.with_columns(x=pl.col("x") + 1e-3 * copy) for copy in range(4)])
    run = shoal.fit(table, target="kind", ignore="w,w_up,x_err,day", group="event", out=str(tmp_path / "run"), **TINY)
    whole = shoal.systematics(run, SCALE, table)
    apart = shoal.systematics(run, SCALE, table.drop("event"))
    assert whole.rows == apart.rows == run.metrics["rows"]["test"]
    at = whole.at("log_loss")
    ratio = whole.effects[0].sides["up"].error[at] / apart.effects[0].sides["up"].error[at]
    assert ratio == pytest.approx(2.0, rel=0.2)  # four copies of each event are one measurement


def test_a_linear_run_moves_by_its_slope(folder: Path) -> None:
    run = shoal.load(folder / "line")
    slope = np.diff(run.predict({"u": [0.0, 1.0], "v": [0.0, 0.0]}).mean[:, 0])[0]  # type: ignore[index]
    assert slope == pytest.approx(3.0, abs=0.2)
    found = shoal.systematics(run, {"u": {"columns": "u", "shift": 0.1}}, str(folder / "line.csv"))
    at, sides = found.at("bias"), found.effects[0].sides
    assert found.main == "bias"
    assert sides["up"].shift[at] == pytest.approx(0.1 * slope, rel=1e-3)
    assert sides["down"].shift[at] == pytest.approx(-0.1 * slope, rel=1e-3)
    assert sides["up"].error[at] < 1e-5
    means = found.bins.filter(histogram="mean of y", variation="u")
    assert means["shift_up"].to_list() == pytest.approx([0.1 * slope] * 10, rel=1e-2)


@pytest.mark.slow
def test_edges_of_cuts_move_with_the_columns_of_other_rows(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(3)

    def sample(rows: int) -> pl.DataFrame:
        px, signal = rng.exponential(10.0, rows) + 5.0, np.arange(rows) % 2 == 0
        kinds, weights = np.where(signal, "signal", "background"), np.where(rng.random(rows) < 0.1, -0.5, 1.0)
        return pl.DataFrame({"px": px, "x": rng.normal(size=rows) + 1.5 * signal, "kind": kinds, "w": weights})

    sample(1200).write_csv(tmp_path / "fit.csv")
    rules: dict[str, Any] = {"derive": "pt = 2.0 * px", "where": ["pt > 20"]}
    roles: dict[str, Any] = {"target": "kind", "weight": "w", "features": "x"}
    run = shoal.fit(str(tmp_path / "fit.csv"), out=str(tmp_path / "run"), **rules, **roles, **TINY, **YIELDS)
    scale, new = {"scale": {"columns": "px", "scale": 0.05}}, sample(20_000)
    with pytest.warns(shoal.errors.ShoalWarning, match="left out by the cuts"):
        varied = shoal.systematics(run, scale, new, cut=0.0)
    assert varied.rows == int((new["px"] > 10).sum())
    moved = varied.frame.filter(pl.col("quantity") == "signal_events").row(0, named=True)
    kept = new.filter(pl.col("kind") == "signal")
    sums = [float(kept.filter(pl.col("px") * factor > 10)["w"].sum()) for factor in (1.0, 1.05, 0.95)]
    assert moved["up"] == pytest.approx(30.0 * sums[1] / sums[0])
    assert moved["down"] == pytest.approx(30.0 * sums[2] / sums[0])
    assert 0.0 < moved["error_up"] < 0.2 * moved["shift_up"]
    again = pytest.warns(shoal.errors.ShoalWarning, match=r"the cut 'pt > 20' is not made again on the test rows")
    with pytest.warns(shoal.errors.ShoalWarning, match="changes nothing"), again:
        shoal.systematics(run, scale, cut=0.0)


def test_several_classes_are_counted(folder: Path, tmp_path: Path) -> None:
    run = shoal.load(shutil.copytree(folder / "iris", tmp_path / "iris"))
    found = shoal.systematics(run, {"ruler": {"columns": "petal length (cm)", "scale": 0.1}})
    assert found.main == "log_loss"
    counted = found.bins.filter(histogram="predicted class", variation="ruler")
    assert counted["nominal"].sum() == found.rows == 30


def test_what_changes_nothing_is_told(run: shoal.Run) -> None:
    with pytest.warns(shoal.ShoalWarning, match=r"\[a\] changes nothing: x_err is no feature of this run") as told:
        found = shoal.systematics(run, {"a": {"columns": "x_err", "scale": 0.1}})
    assert len(told) == 1
    assert not found.effects[0].changed
    assert not found.up.any()


@pytest.mark.slow
def test_weights_that_networks_saw_are_told(tmp_path: Path) -> None:
    table = events(200)
    run = shoal.fit(table, target="kind", weight="w", ignore="x_err,day", out=str(tmp_path / "run"), **TINY)
    with pytest.warns(shoal.ShoalWarning, match="w_up is a feature of this run, which learned from weights"):
        shoal.systematics(run, {"a": {"weight_up": "w_up"}}, table)


@pytest.mark.parametrize(
    ("variations", "options", "message"),
    [
        ({"a": {"columns": "kind", "scale": 0.1}}, {}, "column 'kind' must hold numbers"),
        (SCALE, {"cut": 3.0}, "cut is on the score, a probability from 0 to 1, got 3"),
        (SCALE, {"quantity": "rocauc"}, r"quantity must be one of .*Did you mean 'roc_auc'\?"),
        (SCALE, {"signal_yield": 3.0}, "give background_yield"),
        (SCALE, {"bins": 0}, "bins must be from 1 to 1000, got 0"),
        (SCALE, {"signal": "sgnal"}, "signal must be one of background, signal"),
        ({"a": {"file_up": "nowhere.csv"}}, {}, r"file_up 'nowhere.csv' does not exist"),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_counted(
    run: shoal.Run, variations: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(shoal.ShoalError, match=message):
        shoal.systematics(run, variations, **options)
    assert run.metrics["test_openings"] == 1


@pytest.mark.slow
def test_runs_that_are_not_for_it_say_why(folder: Path, run: shoal.Run, tmp_path: Path) -> None:
    with pytest.raises(shoal.SettingError, match="line predicts numbers"):
        shoal.systematics(folder / "line", {"u": {"columns": "u", "shift": 0.1}}, cut=0.5)
    with pytest.raises(shoal.RunError, match="was fitted on data in Python, which it does not keep"):
        shoal.systematics(folder / "line", {"u": {"columns": "u", "shift": 0.1}})
    bad = pl.DataFrame({"x": [1.0], "kind": ["signal"]})
    bad.write_csv(tmp_path / "bad.csv")
    with pytest.raises(shoal.DataError, match=r"\[t\]: .*bad.csv: the data have no column 'z'"):
        shoal.systematics(run, {"t": {"file_up": str(tmp_path / "bad.csv")}})
    coded = events(200).with_columns(z=pl.Series(["lo", "hi"] * 100))
    by_code = shoal.fit(coded, target="kind", ignore="w,w_up,x_err,day", out=str(tmp_path / "coded"), **TINY)
    with pytest.raises(shoal.DataError, match="'z' must hold numbers"):
        shoal.systematics(by_code, SCALE, coded)


@pytest.mark.slow
def test_data_that_changed_or_went_are_told(folder: Path, tmp_path: Path) -> None:
    source = tmp_path / "events.csv"
    shutil.copy(folder / "events.csv", source)
    roles: dict[str, Any] = {"target": "kind", "weight": "w", "ignore": "w_up,x_err,day"}
    run = shoal.fit(str(source), out=str(tmp_path / "run"), **roles, **TINY)
    events(seed=9).write_csv(source)
    with pytest.raises(shoal.RunError, match="have changed since run was fitted; give other rows instead"):
        shoal.systematics(run, SCALE)
    source.unlink()
    with pytest.raises(
        shoal.RunError, match=r"the test rows of run are read again from its source, but .*does not exist"
    ):
        shoal.systematics(run, SCALE)


@pytest.mark.slow
def test_the_command_prints_and_writes(run: shoal.Run, tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text(
        '[scale]\ncolumns = ["x", "z"]\nscale = 0.1\n[noise]\ncolumns = "x"\nsmear = 0.1\n'
    )
    result = invoke("systematics", str(run.path), str(tmp_path / "v.toml"))
    assert result.exit_code == 0, result.stderr
    assert "shift of significance, up" in result.stdout
    assert "down mirrored" in result.stdout
    assert "expected before the cut: 30 signal and 500 ± 10 % background events" in result.stdout
    written = {path.name for path in (run.path / "systematics").iterdir()}
    figures = {f"{name}.{end}" for name in ("tornado", "band") for end in ("svg", "pdf", "csv")}
    assert written == {*figures, "shifts.csv", "bins.csv", "systematics.json", "numbers.safetensors"}
    kept = json.loads((run.path / "systematics" / "systematics.json").read_text())
    assert kept["format"] == 1
    words = ("systematics", str(run.path), str(tmp_path / "v.toml"), "-o", str(tmp_path / "s"), "--json", "-q")
    told = json.loads(invoke(*words, "--quantity", "roc_auc").stdout)
    assert told["quantities"] == kept["quantities"]
    assert told["main"] == "roc_auc"
    for name in ("bins.csv", "band.svg", "band.pdf"):
        assert (tmp_path / "s" / name).read_bytes() == (run.path / "systematics" / name).read_bytes()
    result = invoke("systematics", str(run.path), str(tmp_path / "w.toml"))
    assert result.exit_code == 2
    assert "Did you mean 'v.toml'?" in result.stderr


@pytest.mark.slow
def test_a_run_replaced_by_force_loses_its_variations(run: shoal.Run, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "v.toml").write_text('[scale]\ncolumns = ["x"]\nscale = 0.1\n')
    assert invoke("systematics", str(run.path), str(tmp_path / "v.toml")).exit_code == 0
    shoal.fit("iris", out=str(run.path), force=True, **TINY)
    assert not (run.path / "systematics").exists()


def test_progress_is_text(run: shoal.Run, capsys: pytest.CaptureFixture[str]) -> None:
    shoal.systematics(
        run, {"first": {"columns": "x", "scale": 0.1}, "second": {"columns": "x", "shift": 0.1}}, progress=True
    )
    assert capsys.readouterr().err.splitlines() == ["variation 1 of 2 · first", "variation 2 of 2 · second"]


def test_columns_may_leave_out_their_unit() -> None:
    variation = read_variations({"up": {"columns": ["E", "x"], "sigma_column": "dE"}})[0]
    named = variation.in_full(["E [GeV]", "x", "dE [GeV]"])
    assert (named.columns, named.sigma_column) == (("E [GeV]", "x"), ("dE [GeV]",))
