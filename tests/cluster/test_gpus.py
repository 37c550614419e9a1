"""Processes of one machine share its GPUs: the environment that each gets, before it imports jax."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from shoal.cluster import folder
from shoal.cluster.choice import open_executor
from shoal.cluster.folder import FolderExecutor
from shoal.cluster.gpus import SHARE, VISIBLE, of_process, visible_gpus

PREALLOCATE = "XLA_PYTHON_CLIENT_PREALLOCATE"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, ["0", "1", "10"]),
        ({VISIBLE: "3, GPU-8932f937"}, ["3", "GPU-8932f937"]),
        ({VISIBLE: ""}, []),
        ({VISIBLE: "-1"}, []),
    ],
)
def test_gpus_are_those_that_may_be_used(environment: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    for name in ("nvidia10", "nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert visible_gpus(environment, tmp_path) == expected


@pytest.mark.parametrize("processes", [1, 2, 3, 4, 5, 11])
@pytest.mark.parametrize("gpus", [1, 2, 4])
def test_every_gpu_is_used_by_as_few_as_can_be(processes: int, gpus: int) -> None:
    each = [of_process(number, processes, [str(gpu) for gpu in range(gpus)]) for number in range(processes)]
    users = Counter(gpu for own in each for gpu in own[VISIBLE].split(","))
    assert set(users) == {str(gpu) for gpu in range(gpus)}
    assert max(users.values()) == -(-processes // gpus)
    for gpu, count in users.items():
        memory = [float(own.get(SHARE, 0.75)) for own in each if gpu in own[VISIBLE].split(",")]
        assert sum(memory) == pytest.approx(0.75, rel=0.05)
        assert len(memory) == count


def test_without_gpus_nothing_is_said() -> None:
    assert of_process(0, 2, []) == {}


@pytest.mark.parametrize(("gpus", "expected"), [("0,1", "false"), ("", None)])
def test_a_driver_leaves_the_memory_of_gpus_to_its_workers(
    gpus: str, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VISIBLE, gpus)
    monkeypatch.setenv(PREALLOCATE, "true")  # so that it is put back
    monkeypatch.delenv(PREALLOCATE)
    with open_executor(2, None, tmp_path):
        assert os.environ.get(PREALLOCATE) == expected


class Process:
    """A worker that only notes its environment."""

    def __init__(self, *_: Any, env: dict[str, str], **__: Any) -> None:
        self.environment, self.pid, self.returncode = env, 1, None

    def poll(self) -> int | None:
        return self.returncode


def test_a_process_that_is_replaced_leaves_its_gpu_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VISIBLE, "5,7")
    monkeypatch.setattr(folder.subprocess, "Popen", Process)
    executor = FolderExecutor(tmp_path / "work", 2)
    executor._start()
    first, second = executor._running.values()
    assert [each.environment[VISIBLE] for each in (first, second)] == ["5", "7"]  # type: ignore[attr-defined]
    first.returncode = 1
    executor._start()
    assert executor._running[1] is second
    assert executor._running[0].environment[VISIBLE] == "5"  # type: ignore[attr-defined]
