"""Expressions of columns give NumPy's numbers, or are refused; nothing else can be called."""

from __future__ import annotations

import keyword
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shoal.data.expressions import names_in, parse_condition, parse_value
from shoal.data.functions import check_function
from shoal.errors import SettingError

COLUMNS: dict[str, Any] = {
    "a": np.array([-2.5, -1.0, -0.3, 0.0, 0.2, 0.9, 1.0, 3.5]),
    "b": np.array([0.5, -0.7, 2.0, 1.0, -3.0, 0.1, 0.0, 7.0]),
    "n": np.array([3, -1, 0, 2, 7, -5, 1, 4], np.int8),
}
TABLE = pl.DataFrame(COLUMNS)
ONE = ("abs", "sign", "sqrt", "cbrt", "exp", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos")
ONE += (
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "degrees",
    "radians",
    "floor",
    "ceil",
    "round",
)
TWO = ("arctan2", "hypot", "minimum", "maximum")
OTHER_NAMES = {"asin": "arcsin", "acosh": "arccosh", "atan2": "arctan2", "min": "minimum", "max": "maximum"}
NUMPY = {name: getattr(np, name) for name in (*ONE, *TWO)} | {
    short: getattr(np, name) for short, name in OTHER_NAMES.items()
}
NUMPY |= {"where": np.where, "clip": np.clip, "pi": np.pi, "e": np.e}

expressions = st.recursive(
    st.sampled_from(["a", "b", "n", "2", "0.5", "pi", "e", "-a", "3 * b"]),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(ONE), inner).map(lambda two: f"{two[0]}({two[1]})"),
        st.tuples(st.sampled_from([*TWO, *("atan2", "min", "max")]), inner, inner).map(
            lambda three: f"{three[0]}({three[1]}, {three[2]})"
        ),
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda three: f"({three[0]} {three[1]} {three[2]})"),
        inner.map("({}) ** 2".format),
        st.tuples(inner, inner, inner).map(lambda three: f"where({three[0]} < {three[1]}, {three[1]}, {three[2]})"),
        inner.map("clip({}, -1, 2)".format),
    ),
    max_leaves=5,
)


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(expressions)
def test_numbers_are_those_of_numpy(text: str) -> None:
    values = TABLE.select(parse_value(text, TABLE.schema).cast(pl.Float64).alias("x"))["x"]
    columns = {name: column.astype(np.float64) for name, column in COLUMNS.items()}
    with np.errstate(all="ignore"):
        expected = np.broadcast_to(eval(text, {"__builtins__": {}}, {**NUMPY, **columns}), 8)
    # what cannot be computed is missing here, also within a comparison, where NumPy takes it for false
    missing = values.is_null().to_numpy() | np.broadcast_to(~np.isfinite(expected), 8)
    actual = np.broadcast_to(values.fill_null(np.nan).to_numpy(), 8)
    np.testing.assert_allclose(actual[~missing], expected[~missing], rtol=1e-9, atol=1e-9)
    if "where" not in text and "<" not in text and "min" not in text and "max" not in text and "clip" not in text:
        assert not np.isfinite(expected[values.is_null().to_numpy() if len(values) == 8 else []]).any()


def test_whole_numbers_do_not_run_over() -> None:
    assert TABLE.select(parse_value("n * 100 * 100", TABLE.schema).alias("x"))["x"].to_list()[0] == 30_000.0


def test_what_is_missing_stays_so() -> None:
    table = pl.DataFrame({"x": [1.0, None, float("nan")], "t": ["a", None, "b"], "yes": [True, None, False]})
    for text in ("x + 1", "sqrt(x)", "minimum(x, 2)", "max(2, x)", "clip(x, 0, 2)", "hypot(x, 1)"):
        assert table.select(parse_value(text, table.schema).alias("v"))["v"].null_count() == 2, text
    assert table.select(parse_value("where(yes, t, 'c')", table.schema).alias("v"))["v"].to_list() == ["a", None, "c"]
    assert table.select(parse_value("sqrt(-abs(x) - 1)", table.schema).alias("v"))["v"].null_count() == 3
    assert table.filter(parse_condition("sqrt(x - 5) > -1", table.schema)).height == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sqt(a)", "there is no function 'sqt'; there are abs, .* Did you mean 'sqrt'"),
        ("sqrt()", "sqrt takes 1 argument, got 0"),
        ("hypot(a)", "hypot takes 2 arguments, got 1"),
        ("min(a)", "min takes 2 arguments or more, got 1"),
        ("where(a, b, n)", "and, or and not join conditions, .*got numbers"),
        ("where(a > b, a)", "where takes 3 arguments, got 2"),
        ("where(a > b, a, 'x')", "numbers cannot be compared with text"),
        ("sqrt(x=a)", "nothing can be called but functions by their names"),
        ("sqrt(*a)", "Starred is not allowed"),
        ("sqrt(a)(b)", "nothing can be called but functions"),
        ("None", "is always missing"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        parse_value(text, TABLE.schema)


ATTACKS = [
    *(f"{name}(a)" for name in (*dir(__import__("builtins")), *dir(__import__("os")), *dir(pl))),
    *(f"a.{name}" for name in dir(object)),
    *(f"(lambda: {name})()" for name in ("a", "open")),
    *(f"[{name} for {name} in a]" for name in "xyz"),
    *(f"a if {word} else b" for word in ("True", "a > b")),
]


@pytest.mark.parametrize("start", range(10))
def test_nothing_else_is_called(start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    attacks = [
        text for text in ATTACKS if not _is_function(text.split("(")[0]) and not keyword.iskeyword(text.split("(")[0])
    ]
    assert len(attacks) > 200
    for text in attacks[start::10]:
        with pytest.raises(SettingError):
            parse_value(text, TABLE.schema)
    assert not list(tmp_path.iterdir())


def _is_function(name: str) -> bool:
    try:
        check_function(name, 1)
    except SettingError as error:
        return "takes" in str(error)
    return True


def test_names_of_columns_that_an_expression_needs() -> None:
    assert names_in("sqrt(px**2) > col('petal width (cm)') and pi < e") == {"px", "petal width (cm)", "pi", "e"}
    assert names_in("1 +") == frozenset()
