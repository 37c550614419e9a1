"""Fits of tables that are read in parts: small ones here, for which there is said to be no room."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import shoal
from shoal.after.answering import answer, answer_in_parts
from shoal.data.readers import ReadOptions
from shoal.errors import DataError, RunError, SettingError
from shoal.settings import check_settings
from shoal.steps import streaming
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search
from shoal.steps.reading import read
from shoal.training import kept_rows, trainer
from shoal.training.engine_choice import choose_engine
from shoal.training.engines.streamed import StreamedEngine
from shoal.training.forward import predict
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.kept_rows import KeptRows
from shoal.training.member import Member
from shoal.training.planner import find_budget
from shoal.training.problem import Problem
from shoal.training.progress import Silent
from shoal.training.trainer import Stopped, train

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
ROWS = 12_000


def table(rows: int = ROWS, seed: int = 0) -> pl.DataFrame:
    """Return two classes that a small network can tell apart."""
    rng = np.random.default_rng(seed)
    x, colour = rng.normal(size=(rows, 3)), rng.integers(3, size=rows)
    y = np.where(x[:, 0] * x[:, 1] + (colour == 1) + 0.3 * rng.normal(size=rows) > 0.4, "signal", "background")
    columns = {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": np.array(["red", "green", "blue"])[colour]}
    return pl.DataFrame({**columns, "y": y}).with_columns(pl.when(pl.col("c") > 2).then(None).otherwise("c").alias("c"))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table in twelve row groups."""
    path = tmp_path_factory.mktemp("table") / "events.parquet"
    pq.write_table(table().with_columns(pl.col("c").cast(pl.Float64)).to_arrow(), path, row_group_size=1000)
    return path


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 1,500 rows, whatever memory there is."""
    monkeypatch.setattr(streaming, "_most_bytes", lambda _: 0.0)
    monkeypatch.setattr(streaming, "MOST_ROWS", 1500)
    monkeypatch.setattr(streaming, "FEWEST_ROWS", 100)


SMALL: dict[str, Any] = {"target": "y", "networks": 2, "hidden": (12,), "batch_size": 32, "page": False}


def posed_of(file: Path, **settings: Any) -> Posed:
    """Return the problem of a file."""
    checked = check_settings({"target": "y", **settings})
    return Posed.of(*read(str(file), checked), checked)


@pytest.mark.usefixtures("no_room")
def test_a_sample_stands_for_the_rows_and_preparation_is_of_all(file: Path) -> None:
    """Means and deviations are those of all training rows; parts are prepared as the sample is."""
    posed = posed_of(file)
    stream, problem = posed.dataset.stream, posed.problem
    assert stream is not None
    assert problem.stream is not None
    assert sum(stream.counts) == ROWS
    assert len(problem.x) == stream.sampled[0] == pytest.approx(1500, rel=0.15)
    every = pl.concat(stream.training_tables(np.arange(12), set(stream.pieces.types)))
    assert every.height == stream.counts[0]
    scaling = posed.preparation.encoders[0].normalization  # type: ignore[union-attr]
    assert scaling.mean == pytest.approx(every["a"].mean(), abs=1e-12)  # type: ignore[attr-defined]
    rows = np.concatenate([part.x for part in problem.stream.read(np.arange(12))])
    assert np.array_equal(rows, posed.preparation.transform(every))
    drawn = {tuple(row) for row in problem.x.tolist()}
    assert drawn <= {tuple(row) for row in rows.tolist()}


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_a_member_is_the_same_alone_and_in_a_block(file: Path, engine: str) -> None:
    """One read serves all of them; bit for bit by the native engine."""
    problem = posed_of(file).problem
    assert problem.stream is not None
    members = [
        Member(i, Hyperparameters(hidden=(4 + i,), epochs=7 - i, learning_rate=0.01, patience=9)) for i in range(3)
    ]
    budget = find_budget()

    def trained(some: list[Member]) -> dict[int, Any]:
        assert problem.stream is not None
        made = StreamedEngine(choose_engine(problem, some, engine, budget).make(), problem.stream)
        try:
            return {each.member.id: each for each in train(problem, some, made).members}
        finally:
            made.close()

    together = trained(members)
    assert len(together[0].train_loss) == 7
    for member in members[:: 1 if engine == "native" else 2]:
        alone = trained([member])[member.id]
        for layer, other in zip(together[member.id].parameters, alone.parameters, strict=True):
            for name in layer:
                if engine == "native":
                    assert np.array_equal(layer[name], other[name])
                else:
                    assert np.allclose(layer[name], other[name], atol=1e-4)


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_an_encoding_reads_each_part(file: Path, engine: str) -> None:
    """As if the rows had been encoded before they were read, and each network has the encoding of the sample."""
    problem = posed_of(file, feature_encoding="piecewise").problem
    stream = problem.stream
    assert stream is not None

    def encoded(order: np.ndarray) -> Any:
        return (part._replace(x=problem.encoded("piecewise", part.x)) for part in stream.read(order))

    before = replace(problem.behind("piecewise"), stream=replace(stream, read=encoded))
    chosen = Hyperparameters(hidden=(8,), epochs=5, patience=9, learning_rate=0.01, feature_encoding="piecewise")

    def trained(given: Problem) -> Any:
        assert given.stream is not None
        members = [Member(0, chosen)]
        made = StreamedEngine(choose_engine(given, members, engine, find_budget()).make(), given.stream)
        try:
            return train(given, members, made).members[0]
        finally:
            made.close()

    one, other = trained(problem), trained(before)
    assert one.network.layers[0] == problem.encodings.layers("piecewise")[0]
    assert one.parameters[0] == {}
    assert before.inputs > 3 * problem.inputs
    for layer, same in zip(one.parameters[1:], other.parameters, strict=True):
        assert all(np.array_equal(layer[name], same[name]) for name in layer)


@pytest.mark.usefixtures("no_room")
def test_encodings_are_offered_where_memory_has_room(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in memory; with less they are left out, unless they are asked for, and parts are smaller then."""
    offered = posed_of(file, memory="6GB")
    assert "feature_encoding" in pose_search(offered).space.varied
    monkeypatch.setattr(streaming, "ENCODED", 600_000)
    without = posed_of(file, memory="6GB")
    assert "feature_encoding" not in pose_search(without).space.varied
    assert len(without.problem.x) == len(offered.problem.x)
    asked = posed_of(file, memory="6GB", feature_encoding="piecewise; quantile")
    assert asked.problem.number_columns == offered.problem.number_columns
    assert len(asked.problem.x) < len(offered.problem.x)


@pytest.mark.usefixtures("no_room")
def test_training_goes_on_from_a_checkpoint_on_the_same_parts(file: Path) -> None:
    """Interrupted after any chunk."""
    problem = posed_of(file).problem
    assert problem.stream is not None
    members = [Member(0, Hyperparameters(epochs=9, patience=9))]
    native = choose_engine(problem, members, "native", find_budget())
    whole = train(problem, members, StreamedEngine(native.make(), problem.stream)).members[0]

    class Halting(StreamedEngine):
        def advance(self, block: Any, state: Any, most: int | None = None) -> Any:
            if state.part == 6:
                raise KeyboardInterrupt
            return super().advance(block, state, most)

    keep, trainer.KEEP_SECONDS = trainer.KEEP_SECONDS, 0.0
    try:
        with pytest.raises(Stopped) as stopped:
            train(problem, members, Halting(native.make(), problem.stream))
    finally:
        trainer.KEEP_SECONDS = keep
    assert stopped.value.checkpoint.halfway
    later = train(
        problem, members, StreamedEngine(native.make(), problem.stream), checkpoint=stopped.value.checkpoint
    ).members[0]
    assert np.array_equal(whole.validation_loss, later.validation_loss)
    assert all(np.array_equal(a[n], b[n]) for a, b in zip(whole.parameters, later.parameters, strict=True) for n in a)


@pytest.fixture(scope="module")
def in_memory(file: Path, tmp_path_factory: pytest.TempPathFactory) -> shoal.Run:
    """The same file, all rows at once."""
    return shoal.fit(str(file), **SMALL, epochs=25, cv="none", out=str(tmp_path_factory.mktemp("whole") / "run"))


@pytest.mark.usefixtures("no_room")
def test_a_fit_scores_as_in_memory(file: Path, in_memory: shoal.Run, tmp_path: Path) -> None:
    """Within the noise of the test rows; the numbers tell of the drawing."""
    run = shoal.fit(str(file), **SMALL, passes=25, out=str(tmp_path / "run"))
    told = run.metrics["stream"]
    assert told["rows"]["train"] > 4 * told["drawn"]["train"]
    assert told["passes"] == 25
    assert 0 < told["sampling_error"]["test"] < 0.02
    streamed, whole = (each.metrics["test"]["accuracy"]["value"] for each in (run, in_memory))
    assert streamed == pytest.approx(whole, abs=0.035)


@pytest.mark.usefixtures("no_room")
def test_predictions_in_parts_are_those_of_all_rows_at_once(file: Path, in_memory: shoal.Run, tmp_path: Path) -> None:
    """Bit for bit, and in the order of the file."""
    whole = answer(in_memory, str(file), ReadOptions()).output.table
    pieces = streaming.find_pieces(str(file), ReadOptions(), None)
    assert pieces is not None
    told = answer_in_parts(in_memory, pieces, ReadOptions(), tmp_path / "p.parquet")
    assert told.answered == ROWS
    assert pl.read_parquet(tmp_path / "p.parquet").equals(whole)


@pytest.mark.usefixtures("no_room")
def test_what_needs_all_rows_is_refused(file: Path) -> None:
    """In a sentence that says what to do."""
    for given in ({"time": "a"}, {"cv": 5}, {"replicas": 3}, {"workers": 2}):
        with pytest.raises(SettingError, match=f"{next(iter(given))}: not for a table whose rows do not fit"):
            posed_of(file, **given)
    with pytest.raises(SettingError, match="passes and epochs"):
        shoal.plan(str(file), target="y", passes=2, epochs=3)
    with pytest.raises(DataError, match="no column 'nowhere'"):
        posed_of(file, group="nowhere")


def test_passes_are_for_rows_in_parts(file: Path) -> None:
    """In memory an epoch is a pass."""
    with pytest.raises(SettingError, match="use epochs instead"):
        shoal.plan(str(file), target="y", passes=2)


def test_too_little_memory_is_told_with_what_is_needed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is read."""
    monkeypatch.setattr(streaming, "_most_bytes", lambda _: 0.0)
    with pytest.raises(SettingError, match=r"memory of 100 MB is too little.*expected \d+ MB or more"):
        posed_of(file, memory="100MB")


@pytest.mark.usefixtures("no_room")
def test_a_file_that_changes_ends_training_with_a_line_and_keeps_what_is_done(file: Path, tmp_path: Path) -> None:
    """And going on is refused, since the rows are others."""
    path = tmp_path / "events.parquet"
    path.write_bytes(file.read_bytes())

    class Touching(Silent):
        def training(self, **_: Any) -> None:
            pq.write_table(table(seed=1).to_arrow(), path, row_group_size=1000)

    with pytest.raises(RunError, match=r"events\.parquet has changed.*What is trained is kept"):
        shoal.fit(str(path), **SMALL, epochs=60, patience=60, progress=Touching(), out=str(tmp_path / "run"))
    with pytest.raises(RunError, match="have changed since the run began"):
        shoal.resume(tmp_path / "run")


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("full", [False, True])
def test_kept_rows_train_to_the_same_bits(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    """Whether a scratch file holds them after the first pass, or the disk is full; nothing is left behind."""
    problem, said, read = posed_of(file).problem, [], []
    assert problem.stream is not None
    members = [Member(0, Hyperparameters(epochs=3 * problem.stream.per_pass, patience=99))]
    counted = replace(problem.stream, read=lambda order: (read.extend(order), problem.stream.read(order))[1])
    if full:
        if not Path("/dev/full").exists():
            pytest.skip("the system has no disk that is always full")
        monkeypatch.setattr(kept_rows, "TemporaryFile", lambda **_: io.FileIO("/dev/full", "w+"))

    def trained(kept: KeptRows | None) -> Any:
        native = choose_engine(problem, members, "native", find_budget()).make()
        engine = StreamedEngine(native, problem.stream, kept)  # type: ignore[arg-type]
        try:
            return train(problem, members, engine).members[0]
        finally:
            engine.close()

    plain, kept = trained(None), trained(KeptRows(counted, tmp_path, said.append))  # twice the same, too
    assert all(np.array_equal(a[n], b[n]) for a, b in zip(plain.parameters, kept.parameters, strict=True) for n in a)
    assert not list(tmp_path.iterdir())
    assert "No space left" in said[-1] if full else "scratch file of up to" in said[-1]
    assert (len(read) > 2 * problem.stream.pieces) == full  # the last pieces of a pass may be left half-way


@pytest.mark.usefixtures("no_room")
def test_a_disk_without_room_keeps_no_rows(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Told with both sizes, and the rows are the same."""
    said: list[str] = []
    rows = posed_of(file).problem.stream
    assert rows is not None
    monkeypatch.setattr(kept_rows, "SHARE", 0.0)
    kept = KeptRows(rows, tmp_path, said.append)
    for _ in range(2):
        for a, b in zip(rows.read(np.arange(2)), kept(np.arange(2)), strict=True):
            assert all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))
    assert len(said) == 1
    assert "the disk has" in said[0]


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("which", ["several targets", "negative weights"])
def test_rows_of_parts_are_those_of_the_sample(tmp_path: Path, which: str) -> None:
    """Targets and weights of each drawn row."""
    rng, rows = np.random.default_rng(1), table(2400).fill_null(0.0)
    rows = rows.with_columns(w=np.where(rng.uniform(size=2400) < 0.2, -1.0, 1.0) * rng.uniform(0.5, 1.5, 2400))
    pq.write_table(rows.to_arrow(), tmp_path / "rows.parquet", row_group_size=200)
    given = {"target": ["y", "colour"], "ignore": "w"} if which == "several targets" else {"weight": "w"}
    problem = posed_of(tmp_path / "rows.parquet", **given).problem
    assert problem.stream is not None
    parts = list(problem.stream.read(np.arange(12)))
    every = {x.tobytes(): (y, w) for part in parts for x, y, w in zip(*part, strict=True)}
    assert problem.y.shape[1] == (4 if which == "several targets" else 1)
    for x, y, w in zip(problem.x, problem.y, problem.weights, strict=True):
        assert np.array_equal(every[x.tobytes()][0], y)
        assert np.allclose(every[x.tobytes()][1], w, rtol=1e-6)
    assert all((part.weights >= 0.0).all() for part in parts)


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["plain", "piecewise"])
def test_seeds_score_alike_in_memory_and_in_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: Any
) -> None:
    """The same table, settings and seeds: losses on new rows differ by no more than those of seeds let expect."""
    path, new = tmp_path / "rows.parquet", table(50_000, seed=1)
    pq.write_table(table(200_000).to_arrow(), path, row_group_size=10_000)
    losses = []
    for parts in (False, True):
        if parts:
            monkeypatch.setattr(streaming, "_most_bytes", lambda _: 0.0)
            monkeypatch.setattr(streaming, "MOST_ROWS", 20_000)
        posed = posed_of(path, cv="none", memory="4GB", feature_encoding=encoding)
        problem = posed.problem
        passes = 1 if problem.stream is None else problem.stream.per_pass
        assert passes == (7 if parts else 1)
        chosen = Hyperparameters(
            hidden=(16,), batch_size=256, epochs=8 * passes, patience=999, feature_encoding=encoding
        )
        members = [Member(number, chosen) for number in range(8)]
        engine: Any = choose_engine(problem, members, "native", find_budget()).make()
        engine = engine if problem.stream is None else StreamedEngine(engine, problem.stream)
        x, y = posed.preparation.transform(new), posed.preparation.target_values(new)
        logits = [
            predict(m.network, m.parameters, x, logits=True)[:, 0] for m in train(problem, members, engine).members
        ]
        losses.append([np.logaddexp(0.0, np.where(y == 1, -each, each)).mean() for each in logits])
    mean, error = np.mean(losses, axis=1), np.std(losses, axis=1, ddof=1) / np.sqrt(8)
    assert abs(mean[1] - mean[0]) < 2.0 * np.hypot(*error)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the system does not tell the most memory in use")
def test_memory_keeps_within_its_bound(file: Path, tmp_path: Path) -> None:
    """Of a process of its own: a bound that cannot hold is refused with the least that can, and that one holds."""
    code = (
        "import sys; from shoal.steps import streaming; streaming._most_bytes = lambda *_: 0.0\n"
        "from shoal.cli import main; code = main(sys.argv[1:])\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
        "sys.exit(code)"  # unlike ru_maxrss, that of the parent is not counted
    )
    fit = ["fit", str(file), "--target", "y", "--networks", "2", "--hidden", "8", "--passes", "1", "--no-page"]

    def done(*words: str) -> subprocess.CompletedProcess[str]:
        words = ("-c", code, *words, "--quiet")
        return subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)

    refused = done(*fit, "--memory", "200MB")
    assert refused.returncode != 0
    least = re.search(r"expected (\d+) MB or more", refused.stderr)
    assert least is not None, refused.stderr
    bound = int(least[1]) + 10  # what libraries take moves a little from run to run
    predict = ["predict", str(tmp_path / "run"), str(file), "-o", str(tmp_path / "p.csv")]
    for words in ([*fit, "--out", str(tmp_path / "run")], predict):
        ended = done(*words, "--memory", f"{bound}MB")
        assert ended.returncode == 0, ended.stderr
        assert 1024 * int(ended.stdout.split()[-1]) < bound * 1e6
