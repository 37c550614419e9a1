from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from shoal.training.augmentation import AUGMENTATIONS, augmented, interpolated, places

RNG = np.random.default_rng(3)
IMAGES = RNG.standard_normal((6, 9, 12, 2))


def fixed(*draws: float) -> Any:
    """Uniform numbers that are the same for every row: of both shifts, the mirror, the angle and the zoom."""
    return lambda shape: np.broadcast_to(np.asarray(draws), shape)


def test_nothing_asked_for_is_nothing_done() -> None:
    assert augmented(np, IMAGES, {}, fixed()) is IMAGES
    assert augmented(np, IMAGES, dict.fromkeys(AUGMENTATIONS, 0.0), fixed()) is IMAGES
    assert augmented(np, IMAGES, {"rate": 0.5}, fixed()) is IMAGES


@settings(max_examples=20, deadline=None)
@given(st.tuples(*[st.integers(1, 9)] * 4), st.integers(0, 99))
def test_zero_strengths_change_nothing_exactly(shape: tuple[int, ...], seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape).astype(np.float32)
    zeros = {name: np.float32(0.0) * np.ones(()) for name in AUGMENTATIONS}
    same = augmented(np, x, zeros, lambda shape: rng.uniform(size=shape))
    np.testing.assert_array_equal(same, x)
    assert augmented(np, x, {"shift": 2.0, "flip": 1.0, "rotation": 30.0, "zoom": 0.2}, rng.random).shape == shape


@pytest.mark.parametrize(("down", "right"), [(1.0, -1.0), (0.5, 0.25), (-0.3, 0.0)])
def test_shift_is_that_of_scipy(down: float, right: float) -> None:
    moved = augmented(np, IMAGES, {"shift": 2.0}, fixed((1 + down) / 2, (1 + right) / 2, 0, 0, 0))
    expected = scipy.ndimage.shift(IMAGES, (0, 2 * down, 2 * right, 0), order=1, mode="nearest")
    np.testing.assert_allclose(moved, expected, atol=1e-12)


def test_a_whole_pixel_up_repeats_the_lowest_row() -> None:
    moved = augmented(np, IMAGES, {"shift": 1.0}, fixed(0.0, 0.5, 0, 0, 0))
    np.testing.assert_allclose(moved[:, :-1], IMAGES[:, 1:])
    np.testing.assert_allclose(moved[:, -1], IMAGES[:, -1])


def test_flip_mirrors_half_of_the_images() -> None:
    draws = np.zeros((6, 5))
    draws[:, 2] = [0.0, 0.49, 0.5, 0.99, 0.2, 0.7]
    mirrored = augmented(np, IMAGES, {"flip": 1.0}, lambda _: draws)
    for i, turned in enumerate([True, True, False, False, True, False]):
        np.testing.assert_array_equal(mirrored[i], IMAGES[i, :, ::-1] if turned else IMAGES[i])


@pytest.mark.parametrize("degrees", [10.0, -25.0, 90.0])
def test_rotation_is_that_of_scipy(degrees: float) -> None:
    turned = augmented(np, IMAGES, {"rotation": abs(degrees)}, fixed(0, 0, 0, 1.0 if degrees > 0 else 0.0, 0))
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    np.testing.assert_allclose(turned, affine(IMAGES, np.array([[c, -s], [s, c]])), atol=1e-9)


def affine(images: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    centre = (np.asarray(images.shape[1:3]) - 1) / 2
    options: dict[str, Any] = {"offset": centre - matrix @ centre, "order": 1, "mode": "nearest"}
    planes = [[scipy.ndimage.affine_transform(p, matrix, **options) for p in np.moveaxis(i, -1, 0)] for i in images]
    return np.moveaxis(np.asarray(planes), 1, -1)


@pytest.mark.parametrize(("draw", "factor"), [(1.0, 1.25), (0.0, 0.75)])
def test_zoom_is_that_of_scipy(draw: float, factor: float) -> None:
    zoomed = augmented(np, IMAGES, {"zoom": 0.25}, fixed(0, 0, 0, 0, draw))
    np.testing.assert_allclose(zoomed, affine(IMAGES, np.eye(2) / factor), atol=1e-9)


def test_series_move_and_stretch_as_interpolated_in_time() -> None:
    series, steps = IMAGES[:, 0], np.arange(12.0)
    moved = augmented(np, series, {"shift": 2.5, "zoom": 0.2}, fixed(0.5, 1.0, 0, 0, 1.0))
    old = (steps - 5.5) / 1.2 - 2.5 + 5.5
    for one, other in zip(series, moved, strict=True):
        for channel in range(2):
            np.testing.assert_allclose(other[:, channel], np.interp(old, steps, one[:, channel]), atol=1e-12)


def test_all_at_once_are_one_map_after_the_other() -> None:
    numbers = {"shift": 3.0, "flip": 1.0, "rotation": 40.0, "zoom": 0.3}
    draws = np.array([[0.8, 0.1, 0.2, 0.9, 0.3]])
    rows, columns = places(np, (1, 9, 12, 2), numbers, draws)
    zoom, angle = 1 + 0.3 * -0.4, np.deg2rad(40 * 0.8)
    down, right = 2 - 4.0, 7 - 5.5  # of the pixel in row 2 and column 7
    old_down = (np.cos(angle) * down - np.sin(angle) * right) / zoom - 3 * 0.6
    old_right = (np.sin(angle) * down + np.cos(angle) * right) / zoom + 3 * 0.8
    assert rows[0, 2, 7] == pytest.approx(4.0 + old_down)
    assert columns[0, 2, 7] == pytest.approx(5.5 - old_right)


def test_interpolation_is_that_of_scipy_also_beyond_the_edges() -> None:
    rows, columns = RNG.uniform(-3, 13, (2, 6, 9, 12))
    found = interpolated(np, IMAGES, rows, columns)
    for i in range(6):
        expected = scipy.ndimage.map_coordinates(IMAGES[i, ..., 1], (rows[i], columns[i]), order=1, mode="nearest")
        np.testing.assert_allclose(found[i, ..., 1], expected, atol=1e-12)


def test_noise_is_normal_and_has_its_deviation() -> None:
    x = np.zeros((20, 30, 31, 3))
    noise = augmented(np, x, {"noise": 0.2}, RNG.random).ravel()
    assert abs(noise.mean()) < 4 * 0.2 / np.sqrt(noise.size)
    assert noise.std() == pytest.approx(0.2, rel=0.02)
    assert (np.abs(noise) < 0.2).mean() == pytest.approx(0.6827, abs=0.01)
    assert abs(np.corrcoef(noise[: len(noise) // 2], noise[len(noise) // 2 :])[0, 1]) < 0.02


def test_the_draws_of_rows_differ_and_those_of_noise_do_not_depend_on_shifts() -> None:
    same = np.broadcast_to(IMAGES[:1], IMAGES.shape)
    moved = augmented(np, same, {"shift": 2.0}, RNG.random)
    assert len(np.unique(moved[:, 4, 4, 0])) == 6
    calls: list[tuple[int, ...]] = []
    augmented(np, IMAGES, {"shift": 1.0, "noise": 1.0}, lambda shape: calls.append(shape) or RNG.random(shape))
    assert calls == [(6, 5), (2, IMAGES.size // 2)]


def test_members_with_their_own_numbers_under_vmap_agree_with_numpy() -> None:
    import jax
    import jax.numpy as jnp

    x = IMAGES.astype(np.float32)
    numbers = {
        name: np.array([0.0, v], np.float32) for name, v in zip(AUGMENTATIONS, (2, 1, 20, 0.2, 0.1), strict=True)
    }
    draws, uniform = RNG.random((6, 5), np.float32), RNG.random((2, x.size // 2), np.float32)

    def random(shape: tuple[int, ...]) -> Any:
        return draws if shape == draws.shape else uniform

    both = jax.jit(jax.vmap(lambda numbers: augmented(jnp, jnp.asarray(x), numbers, random)))(numbers)
    np.testing.assert_array_equal(both[0], x)
    alone = augmented(np, x, {name: float(v[1]) for name, v in numbers.items()}, random)
    np.testing.assert_allclose(both[1], alone, atol=2e-5)
    assert both.dtype == np.float32
