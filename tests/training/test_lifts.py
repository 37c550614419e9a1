"""The two ways to lift a member's program, and the maximum of windows beside the array module's own."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from shoal.training.engines.xla.lifts import FIRST, IN_TURN

SHAPES = [((3, 4, 2, 5), (2,)), ((3, 4, 2, 5, 3, 2), (2, 4)), ((2, 2, 2, 3, 2, 2, 2, 1), (2, 4, 6))]


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "axes"), SHAPES)
def test_maximum_of_windows_equals_the_modules_own(shape: tuple[int, ...], axes: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal(shape, np.float32)
    y, back = jax.vjp(lambda x: FIRST.xp.max(x, axis=axes), x)
    expected, expected_back = jax.vjp(lambda x: jnp.max(x, axis=axes), x)
    slope = np.random.default_rng(1).standard_normal(y.shape, np.float32)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(back(slope)[0], expected_back(slope)[0])


def test_of_equal_numbers_the_first_has_the_whole_slope() -> None:
    x = np.array([[[1.0, 2.0], [2.0, 2.0]]], np.float32)
    (slope,) = jax.vjp(lambda x: FIRST.xp.max(x, axis=(1, 2)), x)[1](np.array([3.0], np.float32))
    np.testing.assert_array_equal(slope, [[[0.0, 3.0], [0.0, 0.0]]])


@pytest.mark.parametrize("given", [{}, {"axis": 1, "keepdims": True}, {"axis": (1, 2), "keepdims": True}])
def test_other_maxima_are_the_modules_own(given: dict[str, Any]) -> None:
    x = np.random.default_rng(0).standard_normal((3, 4, 5), np.float32)
    np.testing.assert_array_equal(FIRST.xp.max(x, **given), np.max(x, **given))


def test_members_in_turn_equal_members_together() -> None:
    def member(state: Any, numbers: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
        return {"w": state["w"] @ a * numbers["rate"] + b}, (jnp.sum(state["w"]) + c, d + e)

    rng = np.random.default_rng(0)
    state = {"w": rng.standard_normal((3, 4, 4), np.float32)}
    given = state, {"rate": np.arange(3, dtype=np.float32)}, rng.standard_normal((4, 4), np.float32), 1.0, 2.0, 3.0, 4.0
    together, in_turn = (jax.jit(lift.block(member))(*given) for lift in (FIRST, IN_TURN))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5), together, in_turn)
