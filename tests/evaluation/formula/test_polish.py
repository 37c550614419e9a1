"""Formulas become short without becoming worse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from shoal.evaluation.formula.expression import complexity, constants_of, symbols
from shoal.evaluation.formula.fitting import Points, fitted
from shoal.evaluation.formula.polish import polish, polished_front, shorter_and_shorter, worth_their_length

sympy = pytest.importorskip("sympy")
X, Y = symbols(2)
RNG = np.random.default_rng(1)
AT = RNG.uniform(0.3, 3.0, (200, 2))


def points_of(values: np.ndarray, sigma: Any = 0.01) -> Points:
    return Points(AT, values, np.broadcast_to(sigma, len(values)))


def test_constants_are_those_of_weighted_least_squares() -> None:
    sigma = RNG.uniform(0.01, 0.5, 200)
    f = 2.0 * AT[:, 0] - 1.0 + sigma * RNG.standard_normal(200)
    made, loss = fitted(1.5 * X + 0.7, points_of(f, sigma))
    design = np.stack([AT[:, 0], np.ones(200)], axis=1)
    expected = np.linalg.lstsq(design / sigma[:, None], f / sigma, rcond=None)[0]
    assert [float(made.coeff(X)), float(made.subs(X, 0))] == pytest.approx(expected, rel=1e-5)
    assert loss == pytest.approx(np.mean(((design @ expected - f) / sigma) ** 2))


def test_constants_that_are_to_stay_do() -> None:
    made, _ = fitted(1.5 * X + 0.7, points_of(2.0 * AT[:, 0] - 1.0), fixed=[sympy.Float(1.5)])
    assert sympy.Float(1.5) in constants_of(made)
    assert float(made.subs(X, 0)) != 0.7


@pytest.mark.parametrize(
    ("start", "law", "length"),
    [
        (1.9 * sympy.sqrt(1.1 * X + 0.02) + 0.01, 2.0 * np.sqrt(AT[:, 0]), 4),
        (0.9 * X * 1.2 * Y / (X + 0.001) + 0.02 * X, AT[:, 1], 1),
        (2.2 * sympy.sin(1.65 * X + 0.01) + 0.7 + 0.001 * Y, 2.3 * np.sin(1.7 * AT[:, 0]) + 0.8, 9),
        (sympy.exp(0.3 * X + 0.2) * 1.4 - 0.1 * (X - 1.0), 2.0 * np.exp(0.25 * AT[:, 0]), 7),
    ],
    ids=["root", "quotient", "sine", "redundant"],
)
def test_what_is_not_needed_is_left_out(start: Any, law: np.ndarray, length: int) -> None:
    made, loss = polish(start, points_of(law))
    assert complexity(made) == length
    assert loss < 0.02


def test_constants_have_no_more_digits_than_they_need() -> None:
    law = 2.0 * np.pi * np.sqrt(AT[:, 0] / 9.81)
    texts = [str(polish(2.1 * sympy.sqrt(X), points_of(law, sigma))[0]) for sigma in (1.0, 0.01, 0.0001)]
    assert texts == ["2.0*sqrt(x0)", "2.006*sqrt(x0)", "2.00607*sqrt(x0)"]


def test_a_formula_without_a_value_somewhere_is_of_no_use() -> None:
    points = points_of(AT[:, 0])
    for made in (sympy.log(X - 1.0), sympy.sqrt(sympy.Float(-2.0)) * X, 1 / (X - X)):
        assert not np.isfinite(polish(made, points)[1])
    assert polished_front([sympy.log(X - 1.0)], points, 20)[0][0].is_number


def test_the_front_rises_in_length_and_falls_in_loss() -> None:
    law = AT[:, 0] * AT[:, 1] + 0.3 * np.sin(3.0 * AT[:, 0])
    found = [1.1 * X * Y, X * Y + 0.25 * sympy.sin(2.9 * X) + 0.01, 1.3 * X + 2.0 * Y, X * Y + 0.02 * X]
    front = polished_front(found, points_of(law), 20)
    lengths, losses = [complexity(one) for one, _ in front], [loss for _, loss in front]
    assert lengths == sorted(set(lengths))
    assert (np.diff(losses) < 0).all()
    assert lengths[0] == 1
    assert [str(one) for one, _ in front][-1] == "x0*x1 + 0.3*sin(3.0*x0)"
    assert "x0*x1" in [str(one) for one, _ in front]
    assert all(complexity(one) <= 7 for one, _ in polished_front(found, points_of(law), 7))
    for one, loss in front:
        assert points_of(law).loss(one) == pytest.approx(loss)


def test_what_is_missed_least_is_left_out_first() -> None:
    law = 5.0 * AT[:, 0] + 0.5 * AT[:, 1] + 0.05
    chain = shorter_and_shorter(5.0 * X + 0.5 * Y + 0.05, points_of(law))
    assert not chain[0].has(sympy.Float(0.05))
    assert chain[0].has(Y)
    assert [complexity(one) for one in chain] == sorted((complexity(one) for one in chain), reverse=True)


def test_what_is_hardly_better_is_not_worth_its_length() -> None:
    found = [(X, 1.0), (2.5 * X, 0.9995), (X + Y, 0.98), (2.5 * X + Y, 0.5)]
    assert [loss for _, loss in worth_their_length(found, 20)] == [1.0, 0.98, 0.5]
    assert [loss for _, loss in worth_their_length(found, 3)] == [1.0, 0.98]
