"""Frames of learning curves: the protocol, a writer and a reader at once, folders that vanish."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.results import Status
from shoal.runs.live_file import MAGIC, NAME, LiveFile, LiveTail
from shoal.training.progress import CurvePiece, Move, Silent
from shoal.workbench import curve_store, frames
from shoal.workbench.curve_store import CurveStore, quantiles
from shoal.workbench.frames import BANDS, FIELDS, HEADER, MORE, NONE, RESET, STATUSES, Followed, Have, encode, is_new
from shoal.workbench.jobs import environment


class Browser:
    """What a page keeps of the frames, written anew after the description alone."""

    def __init__(self) -> None:
        self.have, self.curves, self.ids = Have(), {}, []
        self.statuses, self.bands, self.resets = [], None, 0

    def take(self, frame: bytes) -> bool:
        magic, flags, *numbers = HEADER.unpack_from(frame)
        assert magic == b"SHLC"
        n = dict(zip(FIELDS, numbers, strict=True))
        at = HEADER.size

        def read(kind: str, count: int) -> np.ndarray:
            nonlocal at
            array = np.frombuffer(frame, kind, count, at)
            at += array.nbytes
            return array

        if flags & RESET:
            self.curves, self.ids, self.resets = {}, [], self.resets + 1
        self.ids += read("<u4", n["new_rows"]).tolist()
        rows, first, counts = read("<u4", 3 * n["new_segments"]).reshape(3, -1)
        values = read("<f4", n["values"])
        ends = np.cumsum(counts)
        for row, start, count, end in zip(rows, first, counts, ends, strict=True):
            curve = self.curves.setdefault(self.ids[row], {})
            curve |= {int(start + i): float(v) for i, v in enumerate(values[end - count : end])}
        self.rungs = read("<u4", 2 * n["rungs"]).reshape(2, -1).T.tolist()
        if flags & BANDS:
            self.bands = read("<f4", 5 * n["points"]).reshape(5, -1)
        if flags & STATUSES:
            self.best = read("<f4", n["rows"])
            self.epochs = read("<u4", n["rows"])
            self.places = read("<i4", n["places"])
            self.statuses = read("u1", n["rows"] + -n["rows"] % 4)[: n["rows"]].tolist()
        self.words = json.loads(frame[at : at + n["json_bytes"]])
        assert at + n["json_bytes"] == len(frame)
        self.have = Have(*(n[name] for name in FIELDS[:5]))
        self.numbers = n
        return bool(flags & MORE)


def followed(store: CurveStore, browser: Browser) -> Browser:
    store.refresh()
    while browser.take(encode(store, browser.have)):
        pass
    return browser


def told(folder: Path) -> LiveFile:
    return LiveFile(folder, Silent())


pieces = st.lists(
    st.tuples(st.integers(0, 9), st.lists(st.floats(0, 9, width=32) | st.just(np.nan), max_size=7)), max_size=12
)


@settings(max_examples=25, deadline=None)
@given(rounds=st.lists(st.tuples(pieces, st.booleans()), max_size=5))
def test_a_browser_that_asks_now_and_then_has_all(tmp_path_factory, rounds):
    folder = tmp_path_factory.mktemp("run")
    live, store, browser, wanted = told(folder), CurveStore(folder), Browser(), {}
    for round_of_pieces, asks in rounds:
        for network, losses in round_of_pieces:
            curve = wanted.setdefault(network, [])
            live.curves([CurvePiece(network, len(curve), np.array(losses, np.float32))])
            curve += losses
        live._write()
        if asks:
            followed(store, browser)
    live.ended(True)
    followed(store, browser)
    got = {n: [c[i] for i in range(len(c))] for n, c in browser.curves.items()}
    assert set(browser.ids) == set(wanted)
    for network, curve in wanted.items():
        np.testing.assert_array_equal(np.float32(got.get(network, [])), np.float32(curve))


@settings(max_examples=25, deadline=None)
@given(question=st.binary(max_size=40))
def test_no_question_breaks_the_answer(question):
    browser = Browser()
    browser.take(encode(CurveStore("no such folder"), Have.of(question)))
    assert browser.numbers["rows"] == 0


@settings(max_examples=25, deadline=None)
@given(damage=st.binary(max_size=60), at=st.integers(0, 200))
def test_damaged_files_are_read_as_far_as_they_go(tmp_path_factory, damage, at):
    folder = tmp_path_factory.mktemp("run")
    live = told(folder)
    live.curves([CurvePiece(n, 0, np.ones(3, np.float32)) for n in range(4)])
    live.moves([Move(0, 0, Status.RUNNING)])
    live.ended(True)
    content = (folder / NAME).read_bytes()
    (folder / NAME).write_bytes(content[:at] + damage + content[at + len(damage) :])
    followed(CurveStore(folder), Browser())


def test_a_record_that_is_half_written_is_left_for_later(tmp_path):
    live = told(tmp_path)
    live.curves([CurvePiece(0, 0, np.arange(4, dtype=np.float32))])
    live.ended(True)
    content = (tmp_path / NAME).read_bytes()
    tail = LiveTail(tmp_path)
    for end in (len(MAGIC) - 1, len(MAGIC) + 16, len(MAGIC) + 19, len(content) - 1):
        (tmp_path / NAME).write_bytes(content[:end])
        assert list(tail.read()) == []
    (tmp_path / NAME).write_bytes(content)
    assert [record.kind for record in tail.read()] == ["PIEC"]


def test_very_long_curves_are_thinned_and_begin_anew(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_store, "MOST_POINTS", 16)
    live, store, browser = told(tmp_path), CurveStore(tmp_path), Browser()
    for before in range(0, 100, 5):
        losses = 1.0 / np.arange(before + 1, before + 6)
        live.curves([CurvePiece(n, before, losses + n) for n in range(3)])
        live._write()
        followed(store, browser)
    assert browser.numbers["stride"] == 8
    assert browser.resets == 4
    for n in range(3):
        np.testing.assert_allclose(list(browser.curves[n].values()), n + 1 / np.arange(8, 97, 8), rtol=1e-6)
    assert browser.numbers["reached"] == 100
    assert browser.numbers["best_loss"] == pytest.approx(0.01)
    live.ended(True)


def test_a_frame_is_not_longer_than_a_connection_likes(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "_MOST_VALUES", 100)
    live, store, browser = told(tmp_path), CurveStore(tmp_path), Browser()
    live.curves([CurvePiece(n, 0, np.full(30, n, np.float32)) for n in range(20)])
    live.ended(True)
    store.refresh()
    assert browser.take(encode(store, browser.have))
    assert browser.numbers["values"] < 160
    assert len(followed(store, browser).curves) == 20


def test_places_rungs_and_statuses(tmp_path):
    live, store, browser = told(tmp_path), CurveStore(tmp_path), Browser()
    live.moves([Move(0, 0, Status.RUNNING), Move(1, 1, Status.RUNNING)])
    live.curves([CurvePiece(0, 0, np.ones(9)), CurvePiece(1, 0, np.full(9, 0.5))])
    live.moves([Move(0, 0, Status.CUT)])
    live.moves([Move(2, 0, Status.RUNNING)])
    live.ended(True)
    followed(store, browser)
    assert (browser.statuses, browser.places.tolist()) == ([Status.CUT, Status.RUNNING, Status.RUNNING], [2, 1])
    assert browser.rungs == [[9, 1]]
    assert browser.numbers["refilled"] == 1
    assert (browser.numbers["best_row"], browser.numbers["best_epoch"]) == (1, 1)


def test_bands_are_quantiles_of_what_is_finite():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(57, 6)).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 5] = np.nan
    values[0, 0] = np.inf
    finite = np.where(np.isfinite(values), values, np.nan)
    wanted = np.stack([np.nanquantile(finite[:, :5], q, axis=0) for q in curve_store.LEVELS])
    np.testing.assert_allclose(quantiles(values)[:, :5], wanted, rtol=2e-6, atol=1e-6)
    assert np.isnan(quantiles(values)[:, 5]).all()


WRITER = """
import sys, time
import numpy as np
from shoal.runs.live_file import LiveFile
from shoal.training.progress import CurvePiece, Silent
live = LiveFile(sys.argv[1], Silent())
for before in range(0, 60, 3):
    live.curves([CurvePiece(n, before, np.arange(before, before + 3) + n) for n in range(50)])
    time.sleep(0.03)
live.ended(True)
"""


def test_a_writer_and_a_reader_at_once(tmp_path):
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], env=environment())
    store, browser, grew = CurveStore(tmp_path), Browser(), set()
    while process.poll() is None:
        grew.add(followed(store, browser).numbers["segments"])
        time.sleep(0.005)
    assert process.returncode == 0
    followed(store, browser)
    assert len(browser.curves) == 50
    assert all(list(browser.curves[n].values()) == list(np.arange(60) + n) for n in range(50))
    assert len(grew) > 3


def test_a_run_that_is_deleted_while_it_is_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(curve_store, "_LOOK_EVERY", 0.0)
    folder = tmp_path / "iris-1"
    folder.mkdir()
    live = told(folder)
    live.curves([CurvePiece(0, 0, np.ones(3))])
    live.ended(True)
    store, browser = CurveStore(folder), Browser()
    assert followed(store, browser).words["state"] == "training"
    followed(store, browser)
    assert browser.words["state"] == "stopped"  # nobody holds its lock
    shutil.rmtree(folder)
    followed(store, browser)
    assert (browser.words["state"], browser.numbers["rows"]) == ("gone", 0)
    assert "moved or deleted" in browser.words["message"]


def test_a_run_that_begins_anew_voids_what_was_sent(tmp_path):
    store, browser = CurveStore(tmp_path), Browser()
    for value in (1.0, 2.0):
        live = told(tmp_path)
        live.curves([CurvePiece(0, 0, np.full(3, value))])
        live.ended(True)
        followed(store, browser)
    assert list(browser.curves[0].values()) == [2.0] * 3
    assert browser.resets == 2


def test_nobody_waits_for_a_frame_that_is_there(tmp_path):
    live = told(tmp_path)
    live.curves([CurvePiece(0, 0, np.ones(3))])
    live.ended(True)
    follow = Followed()

    async def two() -> tuple[bytes, bool]:
        first = await follow.answer(tmp_path, Have())
        browser = Browser()
        browser.take(first)
        return first, is_new(follow.store(tmp_path), browser.have)

    frame, more = asyncio.run(two())
    assert frame[:4] == b"SHLC"
    assert not more


def test_a_finished_run_is_read_from_its_log(iris_run, monkeypatch):
    monkeypatch.setattr(curve_store, "_LOOK_EVERY", 0.0)
    run = iris_run
    assert not (run.path / NAME).exists()
    browser = followed(CurveStore(run.path), Browser())
    assert browser.words["state"] == "finished"
    for number, frame in run.curves.group_by("network"):
        losses = frame.sort("epoch")["validation_loss"].to_numpy()
        np.testing.assert_allclose(list(browser.curves[number[0]].values()), losses, rtol=1e-6)
    assert browser.numbers["best_row"] != NONE


def test_an_interrupted_run_keeps_its_curves_and_goes_on_with_them(tmp_path):
    import shoal
    from shoal.errors import Interrupted

    class Impatient(Silent):
        def training(self, **news):
            if news["epoch"] > 5:
                raise KeyboardInterrupt

    fit = {"networks": 3, "hidden": (4,), "epochs": 400, "patience": 400, "checkpoint_every": 0.01, "page": False}
    with pytest.raises(Interrupted):
        shoal.fit("iris", **fit, out=str(tmp_path / "iris"), progress=Impatient())
    assert followed(CurveStore(tmp_path / "iris"), Browser()).curves
    run = shoal.resume(tmp_path / "iris")
    assert not (run.path / NAME).exists()
