"""Signals that ask a run to stop."""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shoal.errors import Interrupted
from shoal.steps.session import Stoppable
from shoal.steps.signals import BATCH, interrupt, stop_signals
from shoal.training.progress import Silent


def send(number: signal.Signals, then: Exception | None = None, *, again: bool = False) -> None:
    """Send a signal to this process while it works; the work may make something else of it."""
    with stop_signals():
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt:
            if again:  # as batch systems do
                os.kill(os.getpid(), number)
            if then is not None:
                raise then from None
            raise


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """Hear Ctrl-C in a process that was started in the background, too, where shells have it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", BATCH)
def test_a_signal_stops_the_work_with_a_code_of_its_own(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=f"{number.name}: stopped before anything was trained") as stopped:
        send(number)
    assert stopped.value.exit_code == 75
    assert signal.getsignal(number) is signal.SIG_DFL
    with pytest.raises(Interrupted, match=f"{number.name}: kept; go on") as stopped:
        send(number, Interrupted("kept; go on"), again=True)
    assert stopped.value.exit_code == 75


def test_ctrl_c_is_what_it_was() -> None:
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT)
    with pytest.raises(Interrupted, match="kept") as stopped:
        send(signal.SIGINT, Interrupted("kept"))
    assert stopped.value.exit_code == 130
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_an_import_makes_of_a_signal_is_the_signal() -> None:
    with pytest.raises(Interrupted, match="SIGTERM"):
        send(signal.SIGTERM, ImportError("initialization failed"))
    with pytest.raises(KeyboardInterrupt):
        send(signal.SIGINT, ImportError("initialization failed"))


def test_a_signal_that_was_swallowed_stops_the_next_stage() -> None:
    def swallow() -> None:
        with stop_signals() as received:
            with contextlib.suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGTERM)
            Stoppable(Silent(), received).stage("evaluating")

    with pytest.raises(Interrupted, match="SIGTERM"):
        swallow()


def test_a_signal_within_a_callback_leaves_no_traceback() -> None:
    class Rude:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.01)

    def drop(*rude: Rude) -> None:
        with stop_signals() as received:
            del rude
            received.check()

    hook, told = sys.unraisablehook, []
    sys.unraisablehook = told.append
    try:
        with pytest.raises(Interrupted, match="SIGTERM"):
            drop(Rude())
        assert sys.unraisablehook == told.append
    finally:
        sys.unraisablehook = hook
    assert told == []


def test_errors_without_a_signal_pass() -> None:
    with pytest.raises(ImportError, match="mine"), stop_signals():
        raise ImportError("mine")


def test_handlers_of_others_stay() -> None:
    seen: list[Any] = []
    before = signal.signal(signal.SIGUSR1, lambda *what: seen.append(what))
    try:
        with stop_signals():
            os.kill(os.getpid(), signal.SIGUSR1)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert len(seen) == 1


def test_other_threads_set_no_handlers() -> None:
    seen: list[Any] = []

    def work() -> None:
        with stop_signals() as received:
            seen.append((received.name, signal.getsignal(signal.SIGTERM)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [("", signal.SIG_DFL)]


def import_with(number: signal.Signals, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Import a module in which a signal comes, and wait for what comes of it."""
    (folder / "module_that_gets_a_signal.py").write_text(
        f"import os, time\nos.kill(os.getpid(), {number.value})\ntime.sleep(0.2)\nsurvived = True\n"
    )
    monkeypatch.syspath_prepend(folder)
    importlib.import_module("module_that_gets_a_signal")
    time.sleep(5.0)


def test_an_import_comes_to_its_end_before_a_signal_stops_the_work(tmp_path, monkeypatch) -> None:
    """Libraries in C++ end the process where an import of theirs breaks off."""
    with pytest.raises(Interrupted, match="SIGTERM"), stop_signals():
        import_with(signal.SIGTERM, tmp_path, monkeypatch)
    assert sys.modules.pop("module_that_gets_a_signal").survived


def test_ctrl_c_before_the_work_lets_an_import_end_and_is_heard_by_the_work(tmp_path, monkeypatch) -> None:
    signal.signal(signal.SIGINT, interrupt)
    with pytest.raises(KeyboardInterrupt):
        import_with(signal.SIGINT, tmp_path, monkeypatch)
    assert sys.modules.pop("module_that_gets_a_signal").survived
    with pytest.raises(Interrupted, match="kept"):
        send(signal.SIGINT, Interrupted("kept"))
    assert signal.getsignal(signal.SIGINT) is interrupt
