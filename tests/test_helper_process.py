"""The second process: its results, and that nothing depends on it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shoal import helper_process as module
from shoal.helper_process import HelperProcess, Later
from shoal.runs.writing import lives

needs_a_process = pytest.mark.skipif(os.name != "posix", reason="there is no second process here")


@pytest.fixture(params=[True, False], ids=["with a process", "without"])
def helper(request: pytest.FixtureRequest) -> Iterator[HelperProcess]:
    helper = HelperProcess(start=request.param and os.name == "posix")
    yield helper
    helper.close()


def test_results_are_the_same_with_and_without_a_process(helper: HelperProcess) -> None:
    rows = np.arange(200_000, dtype=np.float64)  # more than a socket holds
    helper.load("json", "decimal")
    later = [helper.do(np.add, rows, i) for i in range(3)]
    for i, each in enumerate(later):
        np.testing.assert_array_equal(each.result(), rows + i)


@needs_a_process
def test_it_ends_with_this_process_whatever_it_is_doing() -> None:
    code = (
        "import time\nfrom shoal.helper_process import HelperProcess\nhelper = HelperProcess()\n"
        "helper.do(divmod, 7, 3).result()\nhelper.do(time.sleep, 600)\n"
        "print(helper._process.pid, flush=True)\ntime.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        helper = int(process.stdout.readline())
        os.kill(helper, 0)
        process.kill()
    _wait_until(lambda: not lives(helper))


def test_what_is_kept_can_be_used_later(helper: HelperProcess) -> None:
    first = helper.do(np.add, 2, 3, keep=True)
    assert helper.do(np.multiply, first, 4).result() == 20
    assert helper.do(np.multiply, first, 5).result() == 25


def test_an_error_is_raised_here(helper: HelperProcess) -> None:
    later = helper.do(divmod, 1, 0)
    assert helper.do(divmod, 7, 3).result() == (2, 1)
    with pytest.raises(ZeroDivisionError, match="zero"):
        later.result()


def test_what_cannot_be_sent_is_computed_here(helper: HelperProcess) -> None:
    assert helper.do(lambda: 5).result() == 5
    assert helper.do(len, [lambda: 5]).result() == 1


@needs_a_process
def test_what_has_not_begun_can_be_taken_back(tmp_path: Path) -> None:
    helper, pipe = HelperProcess(), tmp_path / "pipe"
    os.mkfifo(pipe)
    first, second = helper.do(Path.read_text, pipe), helper.do(os.getpid)  # reading waits until something is written
    _wait_until(lambda: first.answer is not None and first.answer.running())
    assert not first.take_back()
    assert second.take_back()
    pipe.write_text("done")
    assert first.result() == "done"
    assert second.result() == os.getpid()
    assert helper.do(os.getpid).result() != os.getpid()
    helper.close()


def _wait_until(done: Callable[[], bool]) -> None:
    last = time.monotonic() + 60.0
    while not done():
        assert time.monotonic() < last
        time.sleep(0.01)


@needs_a_process
def test_it_is_another_process() -> None:
    helper = HelperProcess()
    assert helper.do(os.getpid).result() != os.getpid()
    helper.close()


@needs_a_process
def test_if_it_dies_the_work_is_done_here() -> None:
    helper = HelperProcess()
    first = helper.do(np.add, 2, 3, keep=True)
    died = helper.do(os._exit, 1)
    after = helper.do(np.multiply, first, 4)
    assert died.answer is not None
    assert isinstance(died.answer.exception(), (EOFError, ConnectionError))
    assert after.result() == 20
    helper.close()


@needs_a_process
def test_closing_does_not_wait_for_its_work() -> None:
    helper = HelperProcess()
    helper.do(time.sleep, 100)
    began = time.perf_counter()
    helper.close()
    assert time.perf_counter() - began < 50


@needs_a_process
def test_what_would_follow_work_that_is_given_up_is_not_begun() -> None:
    helper = HelperProcess()
    helper.do(time.sleep, 100)
    waiting, begun = helper.do(divmod, 7, 3), []
    waiting.then(lambda: begun.append(helper.do(divmod, 8, 3)))
    closing = threading.Thread(target=helper.close, daemon=True)
    closing.start()
    closing.join(60)
    assert not closing.is_alive()
    assert not begun
    assert waiting.result() == (2, 1)


@needs_a_process
@pytest.mark.parametrize("executable", ["", "/nowhere/python"])
def test_without_an_interpreter_there_is_none(monkeypatch: pytest.MonkeyPatch, executable: str) -> None:
    monkeypatch.setattr(module.sys, "executable", executable)
    helper = HelperProcess()
    assert not helper.running
    assert helper.do(divmod, 7, 3).result() == (2, 1)
    helper.close()


@needs_a_process
def test_if_it_does_not_start_the_work_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.sys, "executable", "/bin/false")
    helper = HelperProcess()
    assert helper.do(divmod, 7, 3).result() == (2, 1)
    helper.close()


def test_a_result_is_computed_once() -> None:
    calls: list[Any] = []
    later = Later(calls.append, (1,))
    assert later.result() is later.result() is None
    assert calls == [1]


@needs_a_process
@pytest.mark.timeout(30)
def test_closing_does_not_wait_for_work_that_asks_for_more() -> None:
    helper = HelperProcess()
    helper.do(time.sleep, 60)
    waiting = helper.do(len, [])
    waiting.then(lambda: helper.do(len, [1]))
    helper.close()
    assert waiting.result() == 0
