"""The kernel's own functions and activations, against float64 and against the formulas of shoal.networks."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from shoal.networks import Namespace
from shoal.networks.activations import ACTIVATIONS
from shoal.networks.namespace import numpy_namespace
from shoal.training.engines.native.library import FUNCTIONS, Kernel, kernels

SMALLEST = 2.0**-126  # of the normal float32 numbers
ELEMENTWISE = [name for name, activation in ACTIVATIONS.items() if activation.elementwise]
KINKS = np.asarray([-6, -3, -1, -0.5, -0.0, 0, 0.5, 1, 3, 6], np.float32)
EXTREMES = np.asarray([-3e38, -1e20, -104, -89, -87, -20, -1e-20, 1e-20, 20, 87, 89, 104, 1e18, 3e38], np.float32)
XP = Namespace(jnp, erf=jax.lax.erf, scan=jax.lax.scan, stop_gradient=jax.lax.stop_gradient)

each_kernel = pytest.mark.parametrize("kernel", kernels(), ids=lambda kernel: kernel.name)
each_activation = pytest.mark.parametrize("name", ELEMENTWISE)


def cosine_of_turns(u: np.ndarray) -> np.ndarray:
    return np.sin(2.0 * np.pi * np.maximum(0.25 - u, u - 0.75))  # exact to the last digit where it is near 0


def softplus(z: np.ndarray) -> np.ndarray:
    return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))


# The true function and the range that is tried more densely.
TRUTHS: dict[str, tuple[Any, float, float]] = {
    "exponential": (np.exp, -90, 90),
    "logarithm": (np.log, 0, 4),
    "exponential_minus_one": (np.expm1, -20, 90),
    "log_one_plus": (np.log1p, -1, 4),
    "hyperbolic_tangent": (np.tanh, -10, 10),
    "error_function": (scipy.special.erf, -5, 5),
    "cosine_of_turns": (cosine_of_turns, 0, 1),
    "logistic": (scipy.special.expit, -90, 30),
    "softplus": (softplus, -90, 30),
}


def arguments(name: str) -> np.ndarray:
    """Return numbers in the range that matters, of every size in float32, and those that ask for care."""
    rng = np.random.default_rng(7)
    _, low, high = TRUTHS[name]
    dense = rng.uniform(low, high, 100_000).astype(np.float32)
    if name == "cosine_of_turns":
        return np.concatenate([dense[dense < 1], np.float32(2.0) ** -np.arange(1, 100), np.zeros(1, np.float32)])
    sizes = (10.0 ** rng.uniform(-37, 38, 100_000)).astype(np.float32)
    small = (10.0 ** rng.uniform(-7, 2, 100_000)).astype(np.float32)
    care = np.asarray([0.0, np.inf, 88.72283, 88.72284, 87.33654, 87.33655, np.nan], np.float32)
    return np.concatenate([dense, sizes, -sizes, small, -small, care, -care])


@each_kernel
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_right_within_four_units_of_the_last_place(kernel: Kernel, name: str) -> None:
    x = arguments(name)
    with np.errstate(all="ignore"):
        exact = TRUTHS[name][0](x.astype(np.float64))
        rounded = exact.astype(np.float32)
    value = kernel.function(name, x)
    special = ~np.isfinite(rounded)
    np.testing.assert_array_equal(value[special], rounded[special])
    small = np.abs(exact) < SMALLEST
    assert np.all(np.abs(value[small]) <= 1.01 * SMALLEST)
    normal = ~special & ~small
    units = np.abs(value[normal] - exact[normal]) / np.spacing(np.abs(rounded[normal]))
    assert units.max() < 4.0, f"{units.max():.2f} at {x[normal][units.argmax()]!r}"


@each_kernel
def test_odd_functions_keep_the_sign_of_zero_and_stay_within_one(kernel: Kernel) -> None:
    for name in ("hyperbolic_tangent", "error_function"):
        assert np.signbit(kernel.function(name, np.asarray([0.0, -0.0, 1e-30, -1e-30]))).tolist() == [False, True] * 2
        x = np.linspace(0.0, 12.0, 100_001)
        np.testing.assert_array_equal(kernel.function(name, -x), -kernel.function(name, x))
        assert kernel.function(name, x).max() == 1.0


@each_kernel
def test_any_count_is_handled(kernel: Kernel) -> None:
    x = np.linspace(-2.0, 2.0, 70, dtype=np.float32)
    whole, (value, slope) = kernel.function("exponential", x), kernel.activation(ELEMENTWISE.index("tanh"), x)
    for count in range(70):
        np.testing.assert_array_equal(kernel.function("exponential", x[:count]), whole[:count])
        fewer = kernel.activation(ELEMENTWISE.index("tanh"), x[:count])
        np.testing.assert_array_equal(fewer, (value[:count], slope[:count]))


def slope_of(name: str, z: np.ndarray) -> np.ndarray:
    """Return what the engines with JAX take for the slope."""
    activation = ACTIVATIONS[name]
    return np.asarray(jax.vmap(jax.grad(lambda one: activation.function(XP, one)))(z))


@each_kernel
@each_activation
def test_activations_and_slopes_between_kinks(kernel: Kernel, name: str) -> None:
    z = np.random.default_rng(3).normal(0.0, 4.0, 20_000).astype(np.float32)
    z = z[np.abs(z[:, None] - KINKS).min(axis=1) > 1e-3]
    exact, step = z.astype(np.float64), 1e-6
    function = ACTIVATIONS[name].function
    value, slope = kernel.activation(ELEMENTWISE.index(name), z)
    error = np.abs(value - function(numpy_namespace, exact))
    assert np.all(error <= 3e-7 * np.maximum(np.abs(value), np.maximum(np.abs(z), 1.0)))
    between = function(numpy_namespace, exact + step) - function(numpy_namespace, exact - step)
    error = np.abs(slope - between / (2.0 * step))
    assert np.all(error <= 1e-6 * np.maximum(np.abs(slope), 1.0))


@pytest.mark.slow
@each_kernel
@each_activation
def test_slopes_at_kinks_and_far_out_are_those_of_jax(kernel: Kernel, name: str) -> None:
    neighbours = [np.nextafter(KINKS, np.float32(side)) for side in (-9, 9)]
    neighbours = [z[np.abs(z) >= SMALLEST] for z in neighbours]  # XLA takes smaller ones for 0
    z = np.concatenate([KINKS, *neighbours, EXTREMES])
    with np.errstate(all="ignore"):
        expected = ACTIVATIONS[name].function(numpy_namespace, z)
    value, slope = kernel.activation(ELEMENTWISE.index(name), z)
    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=2e-7 if name != "squareplus" else 1e-5)
    np.testing.assert_allclose(slope, slope_of(name, z), rtol=1e-5, atol=5e-7)


@each_kernel
@each_activation
def test_a_nan_goes_out_where_it_came_in(kernel: Kernel, name: str) -> None:
    z = np.where(np.arange(40) % 3 == 0, np.nan, 1.0)
    value, _ = kernel.activation(ELEMENTWISE.index(name), z)
    np.testing.assert_array_equal(np.isnan(value), np.isnan(z))


@each_kernel
def test_a_threshold_reached_by_rounding_is_reached(kernel: Kernel) -> None:
    z = np.nextafter(np.float32(3.0), np.float32(0.0))  # z + 3 is 6 in float32
    assert kernel.activation(ELEMENTWISE.index("hard_sigmoid"), np.asarray([z]))[1] == slope_of("hard_sigmoid", z[None])
