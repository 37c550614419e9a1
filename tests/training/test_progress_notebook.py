"""Curves on their way to a listener: whole, in order, and not more often than a notebook can draw."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.errors import SettingError
from shoal.notebook import jupyter
from shoal.training import progress_lines
from shoal.training.progress import CurvePiece, Silent, ending, show_curves
from shoal.training.progress_lines import PlainLines, listener
from shoal.training.progress_notebook import EVERY, NotebookCurves


class Gathered(Silent):
    """A listener that puts curves together and checks that they come in order."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.curves_of: dict[int, list[float]] = {}
        self.heard: list[bool] = []
        self.stop_after = stop_after

    def curves(self, pieces: Iterable[CurvePiece]) -> None:
        for piece in pieces:
            curve = self.curves_of.setdefault(piece.network, [])
            assert piece.before == len(curve)
            curve += piece.losses.tolist()

    def training(self, **news: Any) -> None:
        if self.stop_after is not None and news["trained"] >= self.stop_after:
            raise KeyboardInterrupt

    def ended(self, well: bool) -> None:
        self.heard.append(well)


def curves_of(run: shoal.Run) -> dict[int, list[float]]:
    frames = run.curves.partition_by("network", as_dict=True)
    return {int(number): frame["validation_loss"].to_list() for (number,), frame in frames.items()}


SETTINGS: dict[str, Any] = {
    "target": "species", "networks": 5, "hidden": (4,), "epochs": "7; 30; 55", "patience": 5, "batch_size": 32,
    "page": False,
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["native", "xla"])
def test_a_listener_gets_the_curves_of_the_run(engine: str, tmp_path: Any) -> None:
    gathered = Gathered()
    run = shoal.fit("iris", **SETTINGS, engine=engine, out=str(tmp_path / "run"), progress=gathered)
    assert gathered.heard == [True]
    expected = curves_of(run)
    assert len({len(curve) for curve in expected.values()}) > 1
    assert gathered.curves_of.keys() == expected.keys()
    for number, curve in expected.items():
        np.testing.assert_allclose(gathered.curves_of[number], curve, rtol=1e-6)


@pytest.mark.slow
def test_a_run_that_is_gone_on_with_shows_its_curves_from_the_beginning(tmp_path: Any) -> None:
    settings = {**SETTINGS, "networks": 40, "engine": "native", "checkpoint_every": 0.01, "out": str(tmp_path / "run")}
    first, second = Gathered(stop_after=3), Gathered()
    with pytest.raises(shoal.Interrupted):
        shoal.fit("iris", **settings, progress=first)
    assert first.heard == [False]
    run = shoal.resume(tmp_path / "run", progress=second)
    assert second.heard == [True]
    for number, curve in curves_of(run).items():
        np.testing.assert_allclose(second.curves_of[number], curve, rtol=1e-6)


@pytest.mark.slow
def test_replicas_are_no_curves(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.random(80)
    table = {"x": x.tolist(), "y": (x + 0.1 * rng.standard_normal(80)).tolist(), "e": [0.1] * 80}
    gathered = Gathered()
    run = shoal.fit(
        table, target="y", y_err="e", replicas=2, networks=2, hidden=(3,), epochs=4, page=False,
        out=str(tmp_path / "run"), progress=gathered,
    )  # fmt: skip
    assert set(gathered.curves_of) == set(run.networks["id"])


class Screen:
    """A widget that remembers what it showed."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pictures: list[Any] = []
        self.kept = False

    def show(self, picture: Any, networks: int, line: str, words: dict[str, Any], *, ended: bool = False) -> None:
        self.lines.append(line)
        self.pictures.append((picture, networks, {**words}, ended))

    def keep(self) -> None:
        self.kept = True


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    shown = Screen()
    module = SimpleNamespace(CurvesWidget=SimpleNamespace(displayed=lambda: shown))
    monkeypatch.setitem(sys.modules, "shoal.notebook.widget", module)  # type: ignore[arg-type]
    return shown


def news(trained: int = 0, total: int = 4, epoch: int = 1) -> dict[str, Any]:
    left = {"best": 0.5, "metric": "validation loss", "seconds_left": 9.0}
    return {"trained": trained, "total": total, "epoch": epoch, **left}


def test_ten_pictures_a_second_at_most_and_always_the_last(screen: Screen) -> None:
    now = 0.0
    curves = NotebookCurves(clock=lambda: now)
    curves.note("predicting y")
    curves.warn("few rows")
    curves.stage("compiling")
    assert screen.lines == ["", "", "compiling"]
    for step in range(1000):
        now = 1.0 + 0.001 * step
        curves.curves([CurvePiece(3, step, np.array([1.0 / (step + 1)]))])
        curves.training(**news(epoch=step + 1))  # type: ignore[typeddict-item]
    assert 9 <= len(screen.lines) - 3 <= 1.0 / EVERY + 1
    curves.training(**news(trained=4, epoch=1000))  # type: ignore[typeddict-item]
    picture, networks, words, ended = screen.pictures[-1]
    assert picture.reached == 1000
    assert (networks, ended) == (1, False)
    assert words == {"notes": ["predicting y"], "warnings": ["few rows"], "metric": "validation loss"}
    curves.stage("evaluating")
    assert screen.lines[-1] == "evaluating · 4/4 networks · epoch 1000 · best validation loss 0.5"
    curves.ended(True)
    assert screen.lines[-1].startswith("done · 4/4 networks")
    assert screen.pictures[-1][3]
    assert screen.kept


def test_what_failed_before_anything_was_told_shows_nothing(screen: Screen) -> None:
    NotebookCurves().ended(False)
    assert screen.lines == []


def test_listeners_without_curves_are_left_alone() -> None:
    def never() -> Iterable[CurvePiece]:
        raise AssertionError("a piece was made")
        yield

    show_curves(Silent(), never())
    with ending(Silent()) as told:
        told.stage("reading")
    with pytest.raises(SettingError), ending(Silent()):
        raise SettingError("no")


def test_jupyter_gets_curves_where_the_package_is_there(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert isinstance(listener(True), PlainLines)
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    assert jupyter.in_jupyter()
    monkeypatch.setattr(progress_lines, "widgets_installed", lambda: True)
    assert isinstance(listener(True), NotebookCurves)
    monkeypatch.setattr(progress_lines, "widgets_installed", lambda: False)
    assert isinstance(listener(True), PlainLines)
    assert "pip install 'shoal[notebook]'" in capsys.readouterr().err
    del shell.kernel  # IPython in a terminal
    assert isinstance(listener(True), PlainLines)


@pytest.mark.slow
def test_looking_for_jupyter_loads_nothing_of_it() -> None:
    code = (
        "import sys\nfrom shoal.training.progress_lines import listener\nlistener(True)\n"
        "assert not {'IPython', 'anywidget', 'ipywidgets', 'traitlets', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
