"""Friedman's H of laws that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.evaluation.explanation.interactions import friedman_h, interactions


def by_pair(found: Any) -> dict[frozenset[str], Any]:
    return {frozenset(pair.columns): pair for pair in found.pairs}


def products(laws: Any, rng: np.random.Generator, means: tuple[float, float] = (0.0, 0.0), rows: int = 100) -> Any:
    x = rng.normal(size=(rows, 3))
    x -= x.mean(axis=0)
    x[:, :2] += means
    table = {name: x[:, i] for i, name in enumerate("abc")}
    law = laws.product(0, 1, [0.0, 0.0, 1.0])
    return laws.ensemble(table, x[:, 0] * x[:, 1] + x[:, 2], [law])


def test_a_product_interacts_wholly_and_a_sum_not_at_all(laws: Any, rng: np.random.Generator) -> None:
    found = interactions(products(laws, rng), ["a", "b", "c"])
    pairs = by_pair(found)
    assert found.pairs[0].columns == ("a", "b")
    assert pairs[frozenset("ab")].h.value == pytest.approx(1.0, abs=0.03)
    assert pairs[frozenset("ab")].strength.value == pytest.approx(1.0, abs=0.3)
    for other in ("ac", "bc"):
        assert pairs[frozenset(other)].h.value < 1e-3
        assert pairs[frozenset(other)].strength.value < 1e-3


def test_with_means_the_share_is_known(laws: Any, rng: np.random.Generator) -> None:
    """Var(a) Var(b) of what is Var(a) Var(b) + μb² Var(a) + μa² Var(b) in all."""
    subject = products(laws, rng, (1.0, 2.0), rows=300)
    pair = by_pair(interactions(subject, ["a", "b", "c"], rows=300))[frozenset("ab")]
    assert pair.h.value == pytest.approx(np.sqrt(1.0 / (1.0 + 4.0 + 1.0)), abs=3 * pair.h.error)
    assert 0 < pair.h.error < 0.1


@pytest.mark.slow
def test_errors_over_rows_are_as_wide_as_the_scatter(laws: Any, rng: np.random.Generator) -> None:
    pairs = [by_pair(interactions(products(laws, rng, (1.0, 2.0), 40), ["a", "b"]))[frozenset("ab")] for _ in range(40)]
    scatter = np.std([pair.strength.value for pair in pairs])
    assert np.sqrt(np.mean([pair.strength.rows**2 for pair in pairs])) == pytest.approx(scatter, rel=0.35)


def test_the_error_over_members_is_the_jackknife(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(40, 2))
    networks = [laws.product(0, 1, [slope, 1.0]) for slope in (0.5, 1.0, 2.0)]
    subject = laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, x[:, 0], networks)
    pair = interactions(subject, ["a", "b"]).pairs[0]
    without = []
    for left in range(3):
        fewer = laws.ensemble({"a": x[:, 0], "b": x[:, 1]}, x[:, 0], [n for i, n in enumerate(networks) if i != left])
        without.append(interactions(fewer, ["a", "b"]).pairs[0].h.value)
    assert pair.h.members == pytest.approx(np.sqrt(2 / 3 * np.sum((without - np.mean(without)) ** 2)), rel=1e-3)


def test_a_weight_is_a_repetition() -> None:
    rng = np.random.default_rng(0)
    both, one, other = rng.normal(size=(3, 20, 1))
    times = rng.integers(1, 4, 20)
    weighted = friedman_h(both, one, other, times.astype(float))
    repeated = friedman_h(*(np.repeat(values, times, axis=0) for values in (both, one, other)), np.ones(times.sum()))  # type: ignore[arg-type,call-arg]
    np.testing.assert_allclose(weighted, repeated)


def test_what_does_nothing_has_no_share(laws: Any, rng: np.random.Generator) -> None:
    x = rng.normal(size=(30, 3))
    subject = laws.ensemble({n: x[:, i] for i, n in enumerate("abc")}, x[:, 2], [laws.linear([0.0, 0.0, 1.0])])
    pair = interactions(subject, ["a", "b"]).pairs[0]
    assert pair.strength.value == pytest.approx(0.0, abs=1e-6)
    with pytest.raises(SettingError, match="column 'd' is none that the networks predict from"):
        interactions(subject, ["a", "d"])
