"""Streams of random numbers: known answers, identity, and the shapes of the distributions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.streams import Stream, threefry, to_uniform

SEEDS = st.integers(0, 2**64 - 1)
PATHS = st.lists(st.integers(0, 2**40), max_size=4)

# The known answers of the authors' Random123 library, file kat_vectors: threefry2x32 with 20 and 13 rounds.
PI_COUNTER, PI_KEY = (0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344)
KNOWN = [
    (20, (0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    (20, (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
    (20, PI_COUNTER, PI_KEY, (0xC4923A9C, 0x483DF7A0)),
    (13, (0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731)),
    (13, (0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0xFD36D048, 0x2D17272C)),
    (13, PI_COUNTER, PI_KEY, (0xBA3E4725, 0xF27D669E)),
]


def word(value: int) -> np.ndarray:
    return np.asarray([value], np.uint32)


@pytest.mark.parametrize(("rounds", "counter", "key", "expected"), KNOWN)
def test_threefry_gives_the_known_answers(
    rounds: int, counter: tuple[int, int], key: tuple[int, int], expected: tuple[int, int]
) -> None:
    got = threefry((word(key[0]), word(key[1])), (word(counter[0]), word(counter[1])), rounds)
    assert tuple(int(each[0]) for each in got) == expected


def test_a_compiled_program_draws_the_same_bits() -> None:
    import jax.numpy as jnp

    counter = np.arange(100, dtype=np.uint32), np.full(100, 7, np.uint32)
    key = word(123), word(456)
    expected = threefry(key, counter)
    got = threefry(key, counter)
    assert all(np.array_equal(a, b) for a, b in zip(expected, got, strict=True))
    assert np.array_equal(to_uniform(np, expected[0]), to_uniform(jnp, got[0]))


@given(SEEDS, PATHS, st.integers(1, 50))
def test_a_stream_depends_on_its_identity_alone(seed: int, path: list[int], count: int) -> None:
    stream, same = Stream(seed, *path), Stream(seed)
    for step in path:
        same = same.child(step)
    Stream(seed, 5).bits(3)  # another stream's draws move nothing
    assert np.array_equal(stream.bits(count), same.bits(count))


@given(SEEDS, PATHS, st.integers(0, 2**40), st.integers(0, 2**40))
def test_other_identities_have_other_numbers(seed: int, path: list[int], a: int, b: int) -> None:
    first = Stream(seed, *path, a).bits(4)
    assert not np.array_equal(first, Stream(seed, *path).bits(4))
    assert not np.array_equal(first, Stream(seed, *path, a, 0).bits(4))
    assert np.array_equal(first, Stream(seed, *path, b).bits(4)) == (a == b)


def test_a_seed_counts_with_all_its_bits() -> None:
    assert not np.array_equal(Stream(1).bits(4), Stream(1 + 2**32).bits(4))


def test_a_stream_goes_on_where_it_was() -> None:
    whole, parts = Stream(3).bits(10), Stream(3)
    assert np.array_equal(np.concatenate([parts.bits(4), parts.bits(6)]), whole)


def test_uniform_numbers_fill_their_range_evenly() -> None:
    u = Stream(0, 1).uniform((400, 50), low=-2.0, high=3.0)
    assert u.dtype == np.float32
    assert u.shape == (400, 50)
    assert u.min() >= -2.0
    assert u.max() < 3.0
    shares = np.histogram(u, bins=10, range=(-2.0, 3.0))[0] / u.size
    assert np.abs(shares - 0.1).max() < 5.0 * np.sqrt(0.09 / u.size)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (1.0, 2.0), (-1.0, -0.5), (1e6, 1e6 + 1.0)])
def test_the_upper_end_is_never_reached(low: float, high: float, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(0)
    monkeypatch.setattr(stream, "bits", lambda count: np.full(count, 0xFFFFFFFF, np.uint32))
    assert low <= stream.uniform((1,), low, high)[0] < np.float32(high)


def test_normal_numbers_are_standard_normal() -> None:
    from scipy.stats import kstest

    z = Stream(0, 2).normal((20_000,))
    assert z.dtype == np.float32
    assert kstest(z, "norm").pvalue > 0.01
    pairs = z.reshape(2, -1)
    assert abs(np.corrcoef(pairs)[0, 1]) < 0.05


@given(SEEDS, st.integers(0, 200))
def test_a_permutation_holds_each_number_once(seed: int, n: int) -> None:
    assert sorted(Stream(seed).permutation(n)) == list(range(n))


def test_permutations_are_all_as_likely() -> None:
    orders = [tuple(Stream(seed, 9).permutation(3)) for seed in range(1200)]
    counts = np.asarray([orders.count(each) for each in set(orders)])
    assert len(counts) == 6
    assert ((counts - 200.0) ** 2 / 200.0).sum() < 20.5  # chi squared, 5 degrees of freedom: p = 0.001


@given(SEEDS, st.integers(1, 1000))
def test_an_integer_is_in_range(seed: int, n: int) -> None:
    assert 0 <= Stream(seed).integer(n) < n


def test_integers_are_even() -> None:
    counts = np.bincount([Stream(seed, 1).integer(5) for seed in range(2000)], minlength=5)
    assert ((counts - 400.0) ** 2 / 400.0).sum() < 18.5  # chi squared, 4 degrees of freedom: p = 0.001
