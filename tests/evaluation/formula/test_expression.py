"""How long formulas are, and that each way of writing them says the same."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.evaluation.formula.expression import (
    complexity,
    constants_of,
    function_of,
    gathered,
    import_sympy,
    nests_waves,
    symbols,
)
from shoal.evaluation.formula.printing import as_latex, as_numpy, as_text, identifiers

sympy = pytest.importorskip("sympy")
X, Y = symbols(2)
FORMULAS: list[tuple[Any, int]] = [
    (X, 1),
    (sympy.Float(2.5), 1),
    (-X, 2),
    (2.5 * X, 3),
    (X + Y, 3),
    (X - Y, 3),
    (X * Y, 3),
    (X / Y, 3),
    (1 / X, 3),
    (1 / (X * Y), 5),
    (X / (Y * (X + 1.5)), 7),
    (X**2, 3),
    (sympy.sqrt(X), 2),
    (2.0 * sympy.sqrt(X / Y), 6),
    (1 / sympy.sqrt(X), 4),
    (sympy.sin(X), 3),
    (2.3 * sympy.sin(1.7 * X) + 0.8, 9),
    (2.5 * X - 2.5 * Y + 1.0, 7),
    (sympy.exp(-0.25 * X) * sympy.cos(2.0 * X), 11),
    (-2.5 * X - 2.5 * Y, 5),
    (X**2.0 * 3.0 + 3.0 * sympy.sin(X + 2.5 * Y - 2.5), 0),
]
GRID = np.random.default_rng(0).uniform(0.2, 2.0, (2, 30))


@pytest.mark.parametrize(("formula", "length"), FORMULAS, ids=str)
def test_the_length_counts_what_is_written(formula: Any, length: int) -> None:
    if length:
        assert complexity(formula) == length
    else:
        assert complexity(formula) > 10


@pytest.mark.parametrize("formula", [formula for formula, _ in FORMULAS], ids=str)
def test_all_ways_of_writing_say_the_same(formula: Any) -> None:
    expected = function_of(formula, [X, Y])(*GRID)
    np.testing.assert_allclose(function_of(gathered(formula), [X, Y])(*GRID), expected, rtol=1e-12)
    python, names = as_numpy(formula, ["time", "m [kg]"])
    assert names == {"time": "time", "m_kg": "m [kg]"}
    found = eval(python, {"np": np, "time": GRID[0], "m_kg": GRID[1]})
    np.testing.assert_allclose(np.broadcast_to(found, 30), expected, rtol=1e-9)
    text = as_text(formula, ["time", "m [kg]"]).replace("`m [kg]`", "y")
    read = sympy.sympify(text, locals={"time": X, "y": Y})
    np.testing.assert_allclose(function_of(read, [X, Y])(*GRID), expected, rtol=1e-9)


def test_latex_is_for_papers() -> None:
    assert as_latex(2.5 * X / Y, ["L", "g_0"]) == r"\frac{2.5 L}{\mathrm{g\_0}}"
    assert as_latex(1.5e-7 * sympy.exp(X), ["x", "y"]) == r"1.5 \cdot 10^{-7} e^{x}"
    for name in ("a_b", "50 %", "x^2", "{", "ü \\"):
        unescaped = re.sub(r"\\[^a-z]", "", as_latex(X, [name, "y"]).removeprefix(r"\mathrm"))
        assert not re.search(r"[%#&_^$]", unescaped)


def test_names_that_python_cannot_have() -> None:
    names = ["x", "2nd", "class", "a b", "a-b", "", "np", "größe"]
    found = identifiers(names)
    assert len(set(found)) == len(names)
    assert all(name.isidentifier() for name in found)


def test_exponents_and_signs_are_no_constants() -> None:
    assert [float(c) for c in constants_of(2.5 * X**2 - sympy.sqrt(X) + 1.5 / Y)] == [1.5, 2.5]


def test_a_sine_in_a_sine() -> None:
    assert nests_waves(1 + sympy.exp(sympy.cos(X * sympy.sin(Y))))
    assert not nests_waves(sympy.sin(sympy.exp(X)) * sympy.cos(Y))


def test_a_formula_that_is_a_constant_has_as_many_values() -> None:
    assert function_of(sympy.Float(2.0), [X, Y])(*GRID).shape == (30,)


def test_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sympy", None)
    with pytest.raises(SettingError, match=r"pip install 'shoal\[formula\]'"):
        import_sympy()
