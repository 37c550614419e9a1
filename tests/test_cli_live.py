from __future__ import annotations

import io
import sys
from typing import Any

import pytest

from shoal.cli.live import LiveLine, watching
from shoal.training.progress_lines import PlainLines, training_line


def report(progress: Any, trained: int, best: float | None = 0.5) -> None:
    progress.training(trained=trained, total=10, epoch=7, best=best, metric="accuracy", seconds_left=None)


def test_plain_lines_come_now_and_then() -> None:
    now = 0.0
    stream = io.StringIO()
    lines = PlainLines(stream, every=10.0, clock=lambda: now)
    for trained in range(10):
        report(lines, trained)
        now += 4.0
    report(lines, 10)
    report(lines, 10)
    heads = [line.split()[0] for line in stream.getvalue().splitlines()]
    assert heads == ["0/10", "3/10", "6/10", "9/10", "10/10"]


def test_plain_lines_say_a_stage_once() -> None:
    stream = io.StringIO()
    lines = PlainLines(stream)
    for stage in ("reading", "compiling", "compiling", "baselines"):
        lines.stage(stage)
    assert stream.getvalue().splitlines() == ["reading", "compiling", "baselines"]


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(quiet=True) as progress:
        progress.stage("compiling")
        report(progress, 1)
    assert capsys.readouterr() == ("", "")


def test_lines_go_to_stderr_if_it_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with watching(quiet=False) as progress:
        assert isinstance(progress, PlainLines)
        progress.stage("compiling")
    assert capsys.readouterr() == ("", "compiling\n")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_one_line_that_is_wiped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    with watching(quiet=False) as progress:
        assert isinstance(progress, LiveLine)
        report(progress, 3)
    assert "\x1b[2K" in terminal.getvalue()  # the line is erased
    assert "\x1b[?25h" in terminal.getvalue()  # and the cursor comes back


def test_the_live_line_keeps_the_counts_beside_a_stage() -> None:
    shown: list[str] = []

    class Status:
        def update(self, text: Any) -> None:
            shown.append(text.plain)

    line = LiveLine(Status())
    line.stage("compiling")
    report(line, 3)
    line.stage("compiling")
    assert shown == [
        "compiling",
        "3/10 networks · epoch 7 · best accuracy 0.5",
        "compiling · 3/10 networks · epoch 7 · best accuracy 0.5",
    ]


def test_no_time_is_left_at_the_end() -> None:
    assert training_line(4, 4, 9, 0.25, "rmse", 0.0) == "4/4 networks · epoch 9 · best rmse 0.25"


@pytest.mark.parametrize("best", [None, float("nan")])
def test_no_score_is_shown_before_there_is_one(best: float | None) -> None:
    assert training_line(0, 4, 1, best, "rmse", float("inf")) == "0/4 networks · epoch 1"
