"""The parts of `benchmarks/` that claims rest on: the tables, the opponents, what is timed and how it is summed up."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal.data import load_dataset, split_rows
from shoal.networks import Network
from shoal.training.building import build_trunk
from shoal.training.engines.native import cost
from shoal.training.engines.native.library import best_kernel, kernels

FOLDER = Path(__file__).parents[1] / "benchmarks"
needs_kernel = pytest.mark.skipif(not kernels(), reason="the native engine's kernel was not built")
HERE = {"cores": 2, "processor": "p", "memory_gib": 1, "system": "s", "python": "3", "versions": {"shoal": "1"}}


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(FOLDER)):
            sys.modules.pop(name)


def filled(load: Any, file: Path, measured: dict[str, list[dict[str, float]]]) -> Any:
    """Return a record with these outcomes, one a round."""
    record = load("record").Record(file)
    record.begin(HERE)
    for name, outcomes in measured.items():
        for turn, outcome in enumerate(outcomes):
            record.add(name, turn, outcome)
    return record


def timing(seconds: float, compile_seconds: float = 0.0) -> dict[str, float]:
    return {"seconds": seconds, "compile_seconds": compile_seconds, "validation_loss": 0.5, "wall": seconds}


def by_engine(seconds: float, whole: float, chosen: str = "native") -> dict[str, Any]:
    """Return a training by an engine that is forced, with whole estimates."""
    estimates = {"chosen": chosen, "native_estimate": 1.0, "xla_estimate": 4.0}
    return {**timing(seconds), "whole_seconds": whole, **estimates}


def test_operations_of_the_notes_network_are_those_of_its_kernels(load: Any) -> None:
    work = load("work")
    assert work.flops(load("plan").NOTES) == 96 * 200 * (4 * 4 * 8 + 6 * 8 * 3)


@pytest.mark.parametrize("name", ["CONVOLUTION", "LSTM"])
def test_operations_before_the_dense_layers_are_three_times_those_forward(load: Any, name: str) -> None:
    work, layers = load("work"), load("layers")
    one = getattr(load("plan"), name)
    width = layers.width_behind(one.layers, one.shape)
    trunk = Network(build_trunk(one.layers, one.shape), one.shape)
    assert trunk.output_shape == (width,)
    assert work.flops(one) == 6.0 * (trunk.multiplications + 10 * width) * one.rows * one.epochs


@pytest.mark.slow
@pytest.mark.parametrize("who", ["shoal", "torch_loop", "keras_jax"])
@pytest.mark.parametrize(
    ("layers", "shape"), [("conv2d:4:3 maxpooling2d:2", (8, 8, 1)), ("lstm:4", (6, 2))], ids=["images", "series"]
)
def test_images_and_series_are_learned(load: Any, who: str, layers: str, shape: tuple[int, ...]) -> None:
    for module in load("peers").PEERS[who].needs if who != "shoal" else ():
        pytest.importorskip(module)
    sizes = {"rows": 64, "validation_rows": 16, "classes": 3, "shape": shape, "layers": layers}
    work = load("work").Work("random", (), 16, 3, learning_rate=0.05, **sizes)
    outcome = load("child").run({"kind": "train", "who": who, "work": work.plain(), "population": 1})
    assert outcome["seconds"] > 0.0
    assert 0.0 < outcome["validation_loss"] < 1.5


def test_a_work_survives_json_and_gives_the_same_rows_everywhere(load: Any) -> None:
    work = load("work")
    one = work.Work("random", (4, 4), 8, 1, rows=32, validation_rows=8, features=3, classes=2)
    other = work.work_from(json.loads(json.dumps(one.plain())))
    assert other == one
    rows, again = work.arrays_of(one), work.arrays_of(other)
    assert rows.x.shape == (32, 3)
    assert rows.validation_x.shape == (8, 3)
    assert np.array_equal(rows.x, again.x)
    assert np.array_equal(rows.y, again.y)


def test_the_sizes_of_the_sets_are_those_of_their_training_rows(load: Any) -> None:
    work = load("work")
    for name, sizes in work.SIZES.items():
        rows = work.split_set(name)
        assert (*rows.x.shape, rows.classes) == sizes


def test_candidates_do_not_depend_on_their_number(load: Any) -> None:
    draw = load("candidates").draw_candidates
    many = draw(200)
    assert many[:20] == draw(20)
    assert {len(each["hidden"]) for each in many} == {1, 2, 3}
    assert all(4 <= width <= 64 for each in many for width in each["hidden"])
    assert {each["activation"] for each in many} == set(load("candidates").ACTIVATIONS)


@pytest.mark.parametrize("quick", [True, False])
def test_measurements_have_names_of_their_own_and_arguments_that_a_process_can_read(load: Any, quick: bool) -> None:
    plan, peers = load("plan"), load("peers")
    planned = [each for make in plan.WORKLOADS.values() for each in make(plan.Scale(quick=quick))]
    assert len({each.name for each in planned}) == len(planned)
    for each in planned:
        if each.command[1].endswith("child.py"):
            given = json.loads(each.command[2])
            assert given["kind"] == "peak" or given["who"] in {
                *peers.PEERS,
                *peers.SEARCHES,
                *load("shoal_side").SHOALS,
            }


@pytest.mark.parametrize("quick", [True, False])
def test_the_engines_are_compared_where_it_does_not_take_long(load: Any, quick: bool) -> None:
    plan, work = load("plan"), load("work")
    cells = plan.engine_cells(quick)
    assert all(max(population, 32) * work.flops(one) <= plan.ENGINE_FLOPS for _, population, one in cells)
    assert {one.epochs for _, _, one in cells} <= {10, 20}  # of these each order of the rows is used equally often
    assert {(32, 128, (32, 32)), (32, 128, (64, 64))} <= {(batch, n, one.hidden) for batch, n, one in cells}
    if not quick:
        sizes = {(one.hidden[0], batch, n) for batch, n, one in cells}
        everything = {
            (w, b, n) for w in plan.ENGINE_WIDTHS for b in plan.ENGINE_BATCHES for n in plan.ENGINE_POPULATIONS
        }
        left_out = {(512, 8, 1), (512, 8, 16), (256, 8, 128)} | {(512, batch, 128) for batch in plan.ENGINE_BATCHES}
        assert everything - sizes == left_out


def test_a_peer_that_is_not_installed_is_said_and_left_out(
    load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan, run = load("plan"), load("run")
    absent = plan.Measurement("2/x", ("false",), needs=("no_such_library",))
    monkeypatch.setitem(plan.WORKLOADS, 2, lambda _: [absent])
    record = load("record").Record(tmp_path / "results.jsonl")
    run.measure_all(record, plan.Scale(), [2], rounds=2, tries=1)
    assert "2/x: not installed: no_such_library" in capsys.readouterr().out
    assert record.lines == []


def test_a_measurement_gives_what_its_process_prints_last_and_its_wall_clock(load: Any) -> None:
    program = "print('words'); print('{\"seconds\": 0.5, \"programs\": 3}')"
    outcome = load("measuring").make(load("plan").Measurement("x", (sys.executable, "-c", program)), 10.0, tries=1)
    assert (outcome["seconds"], outcome["programs"]) == (0.5, 3)
    assert outcome["wall"] > 0.0
    assert 0.0 <= outcome["others"] <= 1.0


def test_a_measurement_that_leaves_a_run_tells_its_engine(load: Any) -> None:
    program = (
        "import json, pathlib, sys\n"
        "run = pathlib.Path(sys.argv[-1])\n"
        "run.mkdir()\n"
        "seconds = {'train': 0.5, 'report': 0.25, 'total': 1.0}\n"
        "(run / 'metrics.json').write_text(json.dumps({'engine': {'name': 'native'}, 'seconds': seconds}))"
    )
    measured = load("plan").Measurement("x", (sys.executable, "-c", program), out="--out")
    outcome = load("measuring").make(measured, 10.0, tries=1)
    assert (outcome["engine"], outcome["train_seconds"], outcome["report_seconds"]) == ("native", 0.5, 0.25)


def test_a_measurement_made_twice_meets_an_empty_cache_and_then_a_filled_one(load: Any) -> None:
    program = (
        "import json, os, pathlib, sys\n"
        "cache = pathlib.Path(os.environ['SHOAL_CACHE_DIR'])\n"
        "print(json.dumps({'filled': int(cache.exists()), 'out': sys.argv[-1]}))\n"
        "cache.mkdir(exist_ok=True)"
    )
    measured = load("plan").Measurement("x", (sys.executable, "-c", program), twice=True, out="--out")
    outcome = load("measuring").make(measured, 10.0, tries=1)
    assert (outcome["filled"], outcome["warm_filled"]) == (0, 1)
    assert outcome["out"] != outcome["warm_out"]


def test_a_measurement_that_fails_or_hangs_says_why(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    measuring, measurement = load("measuring"), load("plan").Measurement
    failed = measuring.make(measurement("x", (sys.executable, "-c", "raise ValueError('no rows')")), 10.0, tries=1)
    assert failed == {"failed": "ValueError: no rows"}
    monkeypatch.setattr(measuring, "GRACE", 0.0)
    hung = measuring.make(measurement("x", (sys.executable, "-c", "import time; time.sleep(60)")), 0.2, tries=1)
    assert hung == {"failed": "took longer than 0 s"}


def test_everyone_has_the_same_threads_and_the_usual_products(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    measuring = load("measuring")
    variables = measuring.environment(load("plan").Measurement("x", (), {"KERAS_BACKEND": "jax"}), "cache")
    assert "OPENBLAS_CORETYPE" not in variables
    assert len({variables[name] for name in measuring.THREADS}) == 1
    assert variables["KERAS_BACKEND"] == "jax"


def test_a_killed_run_goes_on_where_it_was(load: Any, tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    filled(load, file, {"a": [timing(1.0), timing(3.0)]})
    with file.open("a") as stream:
        stream.write('{"name": "b", "rou')
    record = load("record").Record(file)
    record.begin(HERE)
    assert record.has("a", 1)
    assert not record.has("b", 0)
    record.add("b", 0, timing(5.0))
    again = load("record").Record(file)
    assert (again.median("a"), again.median("b")) == (2.0, 5.0)


def test_results_of_another_machine_are_not_mixed(load: Any, tmp_path: Path) -> None:
    record = filled(load, tmp_path / "results.jsonl", {})
    with pytest.raises(SystemExit, match="cores differ"):
        record.begin({**HERE, "cores": 64})


def test_ratios_are_medians_within_rounds(load: Any, tmp_path: Path) -> None:
    measured = {"a": [timing(2.0), timing(20.0), timing(9.0)], "b": [timing(1.0), timing(10.0), timing(1.0)]}
    record = filled(load, tmp_path / "results.jsonl", measured)
    assert record.ratio("a", "b") == 2.0


def test_the_best_peer_counts_with_as_many_networks_as_shoal(load: Any, tmp_path: Path) -> None:
    summary, plan = load("summary"), load("plan")
    measured = {
        "2/notes/16/shoal": [timing(1.0, compile_seconds=1.0)],
        "2/notes/1/torch_loop": [timing(0.25)],
        "2/notes/1/keras_jax": [timing(1.0)],
        "2/notes/16/torch_vmap": [timing(8.0)],
    }
    record = filled(load, tmp_path / "results.jsonl", measured)
    case = summary.side_by_side(2, "notes", plan.NOTES, (16,))[0]
    rival = summary.best_peer(record, case)
    assert (rival.who, rival.measured, rival.seconds, rival.ratio) == ("torch_loop", 1, 4.0, 4.0)
    assert rival.ratio_with_compiling == 2.0
    assert summary.losses(record, [case]) == []


@pytest.mark.slow
def test_the_page_says_where_shoal_loses_and_what_was_extrapolated(load: Any, tmp_path: Path) -> None:
    plan, page = load("plan"), load("page")
    measured = {
        "5/4x32/1/shoal": [timing(2.0)],
        "5/4x32/1/torch_loop": [timing(1.0)],
        "5/4x32/64/shoal": [timing(2.0)],
        "3/iris/shoal": [{**timing(8.0), "warm_wall": 4.0, "programs": 2}],
        "3/iris/sklearn_search": [{**timing(10.0), "wall": 12.0, "candidates": 10}],
        "7/convolution/8/shoal": [timing(4.0)],
        "7/convolution/1/torch_loop": [timing(1.0)],
        "6/numpy": [{"seconds": 1.0, "flops_per_second": 1e11}],
    }
    record = filled(load, tmp_path / "results.jsonl", measured)
    file = page.write_page(record, plan.Scale(quick=True), tmp_path)
    text = file.read_text(encoding="utf-8")
    assert "shoal is slower in 1 of 2 cells" in text
    assert "| 32 | 4 | 64 | 31.2 ms | 1 s | PyTorch loop × | 32 × | 32 × |" in text
    assert "| 8 | PyTorch loop × | 2 × | 2 × | 75 % |" in text
    assert "| iris: scikit-learn RandomizedSearchCV | 102 s |" in text
    assert "A large float32 product reaches 100 GFLOP/s, by numpy." in text
    assert file.with_suffix(".svg").stat().st_size > 10_000


@pytest.mark.slow
def test_the_page_says_which_engine_is_faster_and_where_the_choice_is_wrong(load: Any, tmp_path: Path) -> None:
    plan, page = load("plan"), load("page")
    measured = {
        "10/8x32/1/shoal_native": [by_engine(1.0, 1.0)],
        "10/8x32/1/shoal_xla": [by_engine(2.0, 6.0)],
        "10/32x32/1/shoal_native": [by_engine(4.0, 4.0)],
        "10/32x32/1/shoal_xla": [by_engine(1.0, 5.0)],
        "10/64x32/1/shoal_native": [by_engine(8.0, 8.0)],
        "10/64x32/1/shoal_xla": [by_engine(1.0, 5.0)],
        "10/64x32/128/shoal_native": [by_engine(1.0, 1.0)],
        "10/64x32/128/shoal_xla": [by_engine(3.0, 7.0)],
        "6/numpy": [{"seconds": 1.0, "flops_per_second": 2e11}],
        "1/shoal_default": [{"seconds": 4.0, "wall": 4.0, "engine": "native", "report_seconds": 0.5}],
        "1/shoal_plain": [{"seconds": 2.0, "wall": 2.0, "engine": "native"}],
        "1/sklearn": [{"seconds": 2.0, "wall": 2.0}],
        "2/notes/16/shoal": [{**timing(1.0), "engine": "native"}],
        "4/dense/1/shoal": [timing(40.0)],
        "7/small/16/shoal": [timing(1.0)],
        "7/small/1/torch_loop": [timing(2.0)],
        "11/gunpoint": [{"seconds": 6.0, "programs": 0, "wall": 7.0}],
        "11/million": [{"seconds": 50.0, "programs": 0, "predict_seconds": 9.0, "wall": 70.0}],
        "2/notes/16/shoal_xla": [timing(8.0)],
    }
    record = filled(load, tmp_path / "results.jsonl", measured)
    text = page.write_page(record, plan.Scale(quick=True), tmp_path).read_text(encoding="utf-8")
    assert "| 32 | 8 | native 2 × (native 6 ×) | – |" in text
    assert "| 32 | 64 | XLA 8 × (XLA 1.6 ×) | native 3 × (native 7 ×) |" in text
    assert "| 32 | 64 | 8 s, 1 s | 7.81 ms, 23.4 ms |" in text
    assert "is faster in 2 of 4 cells: one network of width 32 in batches of 32; one network of width 64" in text
    assert "`auto` takes the slower engine, starting and compiling counted, in 1 of 4 cells." in text
    assert "| 32 | 64 | 1 | native | 1 s, 8 s | 4 s, 5 s | 1.6 × |" in text
    assert "| `shoal fit iris` | 4 s | 4 s to 4 s | – | native | 500 ms |" in text
    assert "| `shoal fit` of GunPoint, 50 series of 150 steps | 6 s | 6 s to 6 s |" in text
    assert "(GunPoint), page included | 6 s | 8 s | 4 s | floor |" in text
    assert "| programs compiled in these fits | 0 | 0 | 0 | aim |" in text
    assert "from CSV to CSV | 9 s | 8 s | 4 s | **nothing** |" in text
    assert "with 8 and 16 filters, each, over PyTorch's one | 32 × | 20 × | 50 × | floor |" in text
    share = load("work").flops(load("plan").DENSE) / 40.0 / 2e11
    assert f"| dense 256 × 3 × 1, share of the machine's speed | {100 * share:.2g} % | 60 % | 80 % |" in text
    assert "Rounds: 1 round of section 1, 2, 4, 6, 7, 10, 11." in text
    assert "shoal chooses the native engine for 16 networks." in text
    assert "| shoal, XLA engine | – | 500 ms |" in text


def test_a_target_is_reached_from_the_right_side(load: Any) -> None:
    text, target = load("text"), load("targets").Target
    reached = [target("t", value, 5.0, 3.0, text.seconds).reached for value in (None, 6.0, 5.0, 4.0, 3.0)]
    assert reached == ["–", "**nothing**", "floor", "floor", "aim"]
    assert [target("t", value, 0.25, 0.5, text.percent).reached for value in (0.2, 0.3, 0.6)] == [
        "**nothing**",
        "floor",
        "aim",
    ]


@pytest.mark.slow
@pytest.mark.parametrize("who", ["shoal_native", "shoal_xla"])
def test_an_engine_that_is_forced_trains_and_says_what_would_be_chosen(load: Any, who: str) -> None:
    side = load("shoal_side")
    if side.ENGINES[who].needs[-1] == side.KERNEL and not kernels():
        pytest.skip("the native engine's kernel was not built")
    sizes = {"rows": 64, "validation_rows": 16, "features": 4, "classes": 2}
    work = load("work").Work("random", (4,), 16, 3, learning_rate=0.05, **sizes)
    outcome = load("child").run({"kind": "train", "who": who, "work": work.plain(), "population": 2})
    assert outcome["engine"] == who.removeprefix("shoal_")
    assert outcome["whole_seconds"] >= outcome["seconds"] + outcome["compile_seconds"] > 0.0
    assert outcome["chosen"] == ("native" if kernels() else "xla")
    assert outcome["xla_estimate"] > 0.0
    assert ("native_estimate" in outcome) == bool(kernels())


@pytest.mark.slow
def test_the_notes_program_in_scikit_learn_learns() -> None:
    done = subprocess.run([sys.executable, FOLDER / "sklearn_iris.py"], capture_output=True, text=True, check=True)
    assert re.fullmatch(r"scikit-learn: test accuracy (0\.9|1).*, log-loss .*\n", done.stdout)


def test_the_constants_of_a_model_are_found_again(load: Any) -> None:
    calibrate, rng = load("calibrate"), np.random.default_rng(0)
    works = list(calibrate.grid(quick=True))
    constants = dict(zip(calibrate.CONSTANTS, (0.5, 0.01, 0.004, 0.02, 0.03, 0.0003), strict=True))
    cases = []
    for work, optimizer in works:
        columns = {name: float(value) for name, value in zip(constants, rng.uniform(1, 1e4, 6), strict=True)}
        microseconds = sum(constants[name] * columns[name] for name in constants)
        columns |= {f"FAR_{size}": columns["FAR"] for size in calibrate.CACHES}
        cases.append(calibrate.Case(work, optimizer, columns, microseconds))
    found, ratios = calibrate.fit(cases, calibrate.FORMS["the constants"])
    assert found == pytest.approx(constants)
    assert ratios == pytest.approx(1.0)
    assert "the constants: STEP = 0.5, PARAMETER = 0.01, CHEAP_PARAMETER = 0.004" in calibrate.report(cases)


@needs_kernel
def test_a_lane_block_is_measured_with_the_columns_of_the_model(load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calibrate, kernel = load("calibrate"), best_kernel()
    monkeypatch.setattr(calibrate, "ENOUGH", 1.0)
    sizes = {"rows": 64, "validation_rows": 16, "features": 4, "classes": 3}
    work = load("work").Work("random", (8,), 16, 1, **sizes)
    case = calibrate.measure(work, "adam", kernel, repeats=1)
    (member,) = load("shoal_side").members_of([{"hidden": (8,), "batch_size": 16}])
    problem = load("shoal_side").problem_of(load("work").arrays_of(work))
    whole = sum(getattr(cost, name) * case.columns[name] for name in calibrate.CONSTANTS)
    assert whole == pytest.approx(calibrate.lane_block_epoch(problem, member.hyperparameters, 4, kernel.lanes))
    assert case.microseconds > 0.0
    assert case.columns["FAR_1"] == 0.0


@pytest.mark.parametrize("who", ["shoal", "sklearn"])
def test_a_training_is_timed_and_has_learned(load: Any, who: str) -> None:
    sizes = {"rows": 64, "validation_rows": 16, "features": 4, "classes": 2}
    work = load("work").Work("random", (4,), 16, 3, learning_rate=0.05, **sizes)
    outcome = load("child").run({"kind": "train", "who": who, "work": work.plain(), "population": 2})
    assert outcome["seconds"] > 0.0
    assert 0.0 < outcome["validation_loss"] < 1.0


def test_a_mixed_search_says_who_trained_and_counts_its_programs(load: Any) -> None:
    outcome = load("shoal_side").search("iris", 3, 1)
    assert outcome["candidates"] == 3
    assert outcome["engine"] == ("native" if kernels() else "xla")
    assert (outcome["programs"] >= 1) == (outcome["engine"] == "xla")


def test_the_peak_is_measured(load: Any) -> None:
    assert load("peak").measure("numpy", side=64, seconds=0.01)["flops_per_second"] > 1e6


@pytest.mark.parametrize(
    ("name", "rows", "columns", "missing"), [("titanic", 1309, 12, 1844), ("penguins", 344, 7, 19), ("cpu", 209, 8, 0)]
)
def test_a_shipped_table_has_its_known_size_and_missing_values(
    load: Any, name: str, rows: int, columns: int, missing: int
) -> None:
    table = load("tables").TABLES[name].load()
    assert table.shape == (rows, columns)
    assert sum(table.null_count().row(0)) == missing


def test_penguins_are_told_apart_by_columns_of_both_kinds(load: Any) -> None:
    dataset = load_dataset(load("tables").penguins(), target="species")
    assert dataset.task_name == "3-class classification"
    assert {str(column.kind) for column in dataset.features} == {"number", "category"}


@pytest.mark.slow
def test_opponents_learn_from_categories_and_missing_values(load: Any) -> None:
    dataset = load_dataset(load("tables").penguins()[::3], target="species")
    scores = load("opponents").score_opponents(dataset, split_rows(dataset), seed=0)
    assert set(scores) == {"MLPClassifier, training rows", "MLPClassifier, training and validation rows"}
    assert all(each["accuracy"] > 0.8 for each in scores.values())


@pytest.mark.slow
def test_opponents_with_measured_errors_have_a_weighted_variant(load: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, 60)
    data = {"x": x, "y": 3 * x, "y_err": rng.uniform(0.1, 1, 60)}
    dataset = load_dataset(data, target="y", y_err="y_err")
    scores = load("opponents").score_opponents(dataset, split_rows(dataset), seed=0)
    assert len(scores) == 8
    assert scores["MLPRegressor, target scaled, training rows, weighted"]["r2"] > 0.9


def test_the_table_of_scores_shows_the_strongest_opponent_and_the_sign_of_the_difference(load: Any) -> None:
    both = ("training rows", "training and validation rows")
    line = {
        "table": "t",
        "rows": 10,
        "task": "regression",
        "kind": "regression",
        "shoal": {"rmse": 1.0, "r2": 0.9},
        "opponents": {
            f"{name}, {rows}": {"rmse": rmse, "r2": 0.5} for name, rmse in (("a", 3.0), ("b", 2.0)) for rows in both
        },
    }
    text = load("quality").markdown([line, line])
    assert "| RMSE | 1 ± 0 | 2 ± 0 | +1 ± 0 | 2 ± 0 |" in text


def test_the_score_by_a_time_is_that_of_the_largest_fit_until_then(load: Any) -> None:
    score_time = load("score_time")

    def fit(networks: int, cpu: float) -> dict[str, Any]:
        options = {"networks": networks} if networks else None
        return {"table": "t", "method": "m", "seed": 0, "options": options, "seconds": {"cpu": cpu}}

    lines = [fit(64, 30.0), fit(4, 2.0), fit(16, 9.0)]
    assert [line["options"]["networks"] for line in score_time.within(lines, 10.0)] == [16]
    assert score_time.within(lines, 1.0) == []
    assert score_time.too_long(lines, "t", "m", 0, 80.0)
    assert not score_time.too_long(lines, "t", "m", 0, 100.0)
    assert score_time.within([fit(0, 5.0)], 10.0) == [fit(0, 5.0)]
