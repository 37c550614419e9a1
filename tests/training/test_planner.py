"""How many members fit at once, and whether the estimate of their memory holds against the compiler's own account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.errors import SettingError
from shoal.training import planner
from shoal.training.engines.xla import XlaEngine
from shoal.training.planner import (
    HEADROOM,
    KEPT_COPIES,
    LIBRARY_BYTES,
    NUMBER,
    Budget,
    find_budget,
    member_bytes,
    places_in_memory,
    shared_bytes,
)
from shoal.training.problem import Problem

MANY = Budget(10**12, 2)


@given(
    st.integers(1, 10**6),
    st.integers(0, 10**6),
    st.integers(1, 500),
    st.integers(1, 9),
    st.integers(1, 10**8),
)
def test_what_fits_stays_within_the_budget(member: int, fixed: int, wanted: int, devices: int, size: int) -> None:
    budget = Budget(size, devices)
    usable = (1.0 - HEADROOM) * size
    if member + fixed > usable:
        with pytest.raises(SettingError, match="training needs"):
            places_in_memory(member, fixed, wanted, devices, budget)
        return
    count = places_in_memory(member, fixed, wanted, devices, budget)
    assert fixed + count * member <= usable
    assert 1 <= count < wanted + devices
    assert count % devices == 0 or count < devices
    more = devices if count >= devices else 1
    assert count >= wanted or fixed + (count + more) * member > usable  # as many as possible


@pytest.mark.parametrize(("wanted", "expected"), [(1, 1), (3, 3), (4, 4), (5, 8), (64, 64)])
def test_with_enough_memory_all_find_a_place(wanted: int, expected: int) -> None:
    assert places_in_memory(100, 0, wanted, devices=4, budget=MANY) == expected


@pytest.mark.parametrize(
    ("budget", "message"),
    [
        (Budget(10**9, 2), r"needs 1\.38 GB .* \(1 GB for one network, 100 MB .* only 1 GB is free.* more memory\.$"),
        (Budget(10**9, 2, "--memory 1GB"), r"but --memory 1GB allows no more\. .*--batch-size.*--hidden.*--memory\.$"),
    ],
)
def test_if_none_fits_the_message_says_what_helps(budget: Budget, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        places_in_memory(10**9, 10**8, wanted=4, devices=2, budget=budget)


def test_a_setting_lowers_the_budget_but_never_raises_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planner, "available_memory", lambda: 4 * 10**9)
    monkeypatch.setattr(planner, "available_cores", lambda: 3)
    assert find_budget() == Budget(4 * 10**9, 3)
    assert find_budget("1.5GB") == Budget(15 * 10**8, 3, "--memory 1.5GB")
    assert find_budget("8GB") == Budget(4 * 10**9, 3)


def test_rows_are_counted_for_every_device(problem: Problem) -> None:
    one, two = (shared_bytes(problem, devices) - LIBRARY_BYTES for devices in (1, 2))
    assert two * 2 == one * 3
    assert one >= 2 * (problem.x.nbytes + problem.validation_x.nbytes)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("hidden", "batch", "rows", "hyperparameters"),
    [
        ((512, 512), 32, 400, {}),  # the parameters decide
        ((64, 64), 1024, 2000, {}),  # the batch decides
        ((256, 128), 256, 2000, {"dropout": 0.2}),
        ((64,), 16, 2000, {"optimizer": "nadam"}),  # the validation rows decide
    ],
)
def test_the_estimate_holds_what_the_program_takes(
    problem: Problem, members: Any, hidden: tuple[int, ...], batch: int, rows: int, hyperparameters: dict[str, Any]
) -> None:
    """The compiler counts the program's memory; what is copied out between chunks comes on top of it."""
    engine = XlaEngine(devices=1)
    four = members(*4 * [{"hidden": hidden, "batch_size": batch, **hyperparameters}])
    (block,) = engine.plan(_of_rows(problem, rows), four)
    engine.prepare(block)
    counted = block.program.compiled.memory_analysis()
    size = counted.temp_size_in_bytes + counted.argument_size_in_bytes - _data_bytes(block)
    network, widths = block.structure.network, (*block.structure.hidden, block.structure.outputs)
    kept = NUMBER * KEPT_COPIES * network.parameter_count
    estimate = member_bytes(network.parameter_count, widths, batch, validation=min(rows, 1024)) - kept

    assert 0.9 < estimate / (size / 4) < 2.0


def _of_rows(problem: Problem, rows: int) -> Problem:
    """Return the problem with its rows repeated, as many for training as for validation."""
    names = ("x", "y", "weights")
    parts = {name: np.resize(getattr(problem, name), (rows, getattr(problem, name).shape[1])) for name in names}
    validation = {f"validation_{name}": array for name, array in parts.items()}
    return replace(problem, **parts, **validation, validation_half=np.arange(rows) % 2)


def _data_bytes(block: Any) -> int:
    return sum(array.nbytes for array in (*block.program.rows, block.program.orders) if array is not None)
