"""Conditions that users write of columns: they do what Python does, and nothing else is let in."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.data.expressions import parse_condition, parse_value
from shoal.errors import SettingError

TABLE = pl.DataFrame(
    {
        "score": [0.1, 0.25, float("nan"), None, 0.7],
        "size": [3, -4, 5, 6, 0],
        "kept": [True, False, True, False, None],
        "status": ["finished", "diverged", "finished", None, "stopped_early"],
        "petal width (cm)": [1.0, 2.0, 3.0, 4.0, 5.0],
        "when": [datetime.datetime(2026, 11, day, 12, tzinfo=datetime.UTC) for day in range(1, 6)],
        "several": [[1]] * 5,
    }
)


def chosen(text: str) -> list[int]:
    table = TABLE.with_row_index("row")
    return table.filter(parse_condition(text, TABLE.schema))["row"].to_list()


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("score < 0.3", [0, 1]),
        ("score >= 0.25", [1, 4]),  # NaN is no number here
        ("score != 0.1", [1, 4]),
        ("0.1 < score <= 0.7", [1, 4]),
        ("-4 <= size < 4 != 3", [0, 1, 4]),
        ("status == 'finished' and score < 0.3", [0]),
        ("status == 'finished' or size == 0", [0, 2, 4]),
        ("not status == 'finished'", [1, 4]),  # a missing value fulfils no comparison
        ("(score < 0.3) & ~(size > 0) | (size == 6)", [1, 3]),
        ("kept", [0, 2]),
        ("not kept", [1, 3]),
        ("kept == True", [0, 2]),
        ("kept is None", [4]),
        ("score is not None", [0, 1, 4]),
        ("score == None", [2, 3]),
        ("size in [3, 5, 99]", [0, 2]),
        ("size not in (3, 5)", [1, 3, 4]),
        ("size in []", []),
        ("status in {'diverged', 'stopped_early'}", [1, 4]),
        ("'early' in status", [4]),
        ("'early' not in status", [0, 1, 2]),
        ("size * 2 + 1 == 7", [0]),
        ("size / 2 == 1.5 or size // 2 == 3 or size % 2 == 1 and size > 4", [0, 2, 3]),
        ("size ** 2 > 9 - 1 and -size < 0", [0, 2, 3]),
        ("2 ** 1000 ** 2 > size", [0, 1, 2, 3, 4]),  # infinite, and soon done
        ("1 / size > 1e300", [4]),
        ("col('petal width (cm)') > 3.5", [3, 4]),
        ("when >= '2026-11-04'", [3, 4]),
        ("when < '2026-11-01 12:00:01'", [0]),
        ("'2026-11-02T14:00+02:00' == when", [1]),
        ("  size == 3  ", [0]),
    ],
)
def test_conditions(text: str, rows: list[int]) -> None:
    assert chosen(text) == rows


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("scor < 0.3", "there is no column 'scor'; .* Did you mean 'score'"),
        ("score = 0.3", "is no expression .*to compare, write =="),
        ("score <", "is no expression"),
        ("", "the expression is empty"),
        ("score", "expected a condition, such as score < 0.3, but 'score' gives numbers"),
        ("score < 'a'", "numbers cannot be compared with text"),
        ("status > 3", "text cannot be compared with numbers"),
        ("kept == 1", "true or false cannot be compared with numbers"),
        ("kept < True", "true and false have no order"),
        ("score < None", "None is asked for by is None"),
        ("score is 3", "None is asked for by is None or is not None, all else by == and !="),
        ("size and kept", "and, or and not join conditions.* got numbers, at 'size'"),
        ("status + 'x' == 'y'", "arithmetic needs numbers, got text, at 'status'"),
        ("size @ size > 3", "MatMult is not allowed"),
        ("size << 3 > 1", "LShift is not allowed"),
        ("when > 3", "a time cannot be compared with numbers"),
        ("when > 'yesterday'", "a time is compared with a text such as"),
        ("when > status", "a time is compared with a text such as"),
        ("several == 3", r"column 'several' holds List\(Int64\), which cannot be compared"),
        ("size in 3", "in needs a list"),
        ("size in [3, 'a']", "numbers cannot be compared with text"),
        ("col('nothing') > 3", "there is no column 'nothing'"),
        ("col(status) > 3", "col takes the name of a column"),
        ("size > 99999999999999999999", "expected a number of usual size"),
        ("size > 3j", "expected a number of usual size"),
        ("size > b'x'", "expected a number of usual size"),
        ("size > ...", "expected a number of usual size"),
        ("size\0 > 3", "expected an expression|is no expression"),
        ("size > 3 " + "and size > 3 " * 200, "2,000 letters at most"),
        ("not " * 60 + "kept", "nested 50 deep at most"),
        ("(" * 900 + "size" + ")" * 900 + " > 3", "no expression|expected an expression"),
    ],
)
def test_what_makes_no_sense_is_told(text: str, reason: str) -> None:
    with pytest.raises(SettingError, match=reason):
        chosen(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch owned')",
        "open('owned', 'w')",
        "exec('x = 1') == None",
        "score.__class__ == 3",
        "status.str.len_chars() > 3",
        "[x for x in (1, 2)] == 3",
        "(lambda: 1)() == 1",
        "f'{score}' == 'a'",
        "(x := 3) > 2",
        "score[0] > 1",
        "{**score} == 3",
        "(yield) == 1",
        "print if kept else kept",
        "col('score', 1) > 1",
        "col(name='score') > 1",
        "col.lit('score') > 1",
        "pl.col('score') > 1",
        "*score",
        "score; size",
        "import os",
        "kept\nkept",
        "await kept",
    ],
)
def test_nothing_is_evaluated(text: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingError):
        chosen(text)
    assert not list(tmp_path.iterdir())


@given(st.text(alphabet=list("score<>=!&|~()[]{}'\",.+-*/% 0123sizekptandornl:@\\\n\t"), max_size=40))
def test_any_text_is_a_condition_or_told(text: str) -> None:
    try:
        condition = parse_condition(text, TABLE.schema)
    except SettingError:
        return
    assert TABLE.filter(condition).height <= TABLE.height


@given(
    st.recursive(
        st.sampled_from(["a < 2", "b == 1", "a * b >= 3 - a", "-1 < a <= b", "a in [0, 2]", "b % 2 != a // 2"]),
        lambda inner: st.one_of(
            inner.map("not ({})".format),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) and ({two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) or ({two[1]})"),
        ),
        max_leaves=6,
    )
)
def test_conditions_without_missing_values_are_those_of_python(text: str) -> None:
    table = pl.DataFrame({"a": [a for a in range(-2, 4) for _ in range(-2, 4)], "b": list(range(-2, 4)) * 6})
    truth = [eval(text, {"a": a, "b": b}) for a, b in table.rows()]
    assert table.select(parse_condition(text, table.schema).alias("x"))["x"].to_list() == truth


@pytest.mark.parametrize("step", ["({} * x)", "sqrt({})", "hypot({}, x)", "max({}, 0.5)", "clip({}, 0, x)"])
def test_nested_expressions_grow_with_their_length(step):
    """polars writes NaN for null as a condition that holds its number three times, and so at each level."""

    def size(depth):
        text = "x"
        for _ in range(depth):
            text = step.format(text)
        expr = parse_value(text, {"x": pl.Float64()})
        return len(str(expr)), pl.DataFrame({"x": [1.0, None, 4.0]}).select(expr.alias("value"))["value"].to_list()

    (short, _), (long, values) = size(2), size(4)
    assert long < 2.5 * short
    assert values[0] is not None
    assert values[1] is None
