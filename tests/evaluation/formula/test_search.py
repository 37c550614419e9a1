"""Operon's trees become formulas with the same values; laws are found, and the same ones each time."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.evaluation.formula import search as searching
from shoal.evaluation.formula.expression import function_of, nests_waves, symbols
from shoal.evaluation.formula.fitting import Points
from shoal.evaluation.formula.polish import polished_front
from shoal.evaluation.formula.search import KNOWN, SearchSettings, check_functions, import_operon, search_formulas

operon = pytest.importorskip("pyoperon.sklearn")
sympy = pytest.importorskip("sympy")
RNG = np.random.default_rng(2)
AT = RNG.uniform(0.3, 3.0, (150, 3)) * [1.0, 200.0, 0.01]


@pytest.mark.slow
def test_trees_have_the_values_that_operon_gives_them() -> None:
    x = AT / [1.0, 200.0, 0.01]
    model = operon.SymbolicRegressor(
        allowed_symbols="add,sub,mul,div,constant,variable," + ",".join(KNOWN),
        objectives=["mse", "length"],
        max_length=12,
        population_size=200,
        generations=2,
        random_state=1,
        optimizer_iterations=2,
    )
    model.fit(x, x[:, 0] * x[:, 1] / x[:, 2] + 3.0 * np.sin(x[:, 0]))
    used: set[str] = set()
    close: list[bool] = []
    for one in model.individuals_:
        nodes = one.Genotype.Nodes
        used |= {node.Type.name.lower() for node in nodes}
        theirs = model.evaluate_model(one.Genotype, x)
        made = searching._expression(nodes, model.variables_, np.ones(3))
        if np.isfinite(theirs).all():
            ours = function_of(made, symbols(3))(*x.T)
            close.append(np.abs(ours - theirs).max() < 1e-3 * np.abs(theirs).max() + 1e-4)
    assert len(close) > 200
    assert np.mean(close) > 0.98  # theirs are in float32, where nothing is left of the sine of a huge number
    assert {"add", "sub", "mul", "div", *KNOWN} <= used


LAWS: dict[str, tuple[np.ndarray, str, str]] = {
    "product": (AT[:, 0] * AT[:, 1] / AT[:, 2], "x0*x1/x2", ""),
    "sine": (2.3 * np.sin(1.7 * AT[:, 0]) + 0.8, "2.3*sin(1.7*x0) + 0.8", "sin"),
    "pendulum": (2.0 * np.pi * np.sqrt(AT[:, 0] / AT[:, 2]), "6.28*sqrt(x0/x2)", "sqrt"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LAWS)
def test_laws_are_found_again_and_again(name: str) -> None:
    f, text, functions = LAWS[name]
    noisy = f + 0.005 * f.std() * RNG.standard_normal(len(f))
    settings = SearchSettings(15, tuple(functions.split()), evaluations=15_000, seed=3)
    found, whole = search_formulas(AT, noisy, settings)
    assert whole
    again, _ = search_formulas(AT, noisy, settings)
    assert found == again
    front = polished_front(found, Points(AT, noisy, np.full(len(f), 0.02 * f.std())), 15)
    assert str(front[-1][0]) == text
    assert front[-1][1] < 0.2**2 * 2.0


def test_no_sine_stands_in_another() -> None:
    x = RNG.uniform(-3.0, 3.0, (150, 1))
    found, _ = search_formulas(x, np.sin(2.0 * np.sin(2.0 * x[:, 0])), SearchSettings(15, ("sin",), 15_000))
    assert found
    assert not any(nests_waves(one) for one in found)


@pytest.mark.slow
def test_the_time_ends_a_search() -> None:
    settings = SearchSettings(30, evaluations=100_000_000, seconds=1.0)
    found, whole = search_formulas(AT, AT[:, 0] ** 1.5, settings)
    assert found
    assert not whole


def test_functions_that_are_not_known() -> None:
    with pytest.raises(SettingError, match=r"functions: expected some of .*'sinn'. Did you mean 'sin'\?"):
        check_functions(["cos", "sinn"])


def test_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyoperon.sklearn", None)
    with pytest.raises(SettingError, match=r"formulas need an extra package.*pip install 'shoal\[formula\]'"):
        import_operon()
