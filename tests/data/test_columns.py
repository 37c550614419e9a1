from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest

from shoal.data.columns import Column, Kind, find_columns
from shoal.data.conversion import tidy
from shoal.data.roles import Roles

ROWS = 60


def column(values: object, name: str = "a", roles: Roles | None = None) -> Column:
    table = tidy(pl.DataFrame({name: values, "other": np.linspace(0, 1, len(pl.Series(values)))}))
    return find_columns(table, roles or Roles())[0]


@pytest.mark.parametrize(
    ("values", "kind", "role"),
    [
        (np.linspace(0, 1, ROWS), Kind.NUMBER, "feature"),
        ([1, 2, 3] * 20, Kind.NUMBER, "feature"),
        ([True, False] * 30, Kind.BOOLEAN, "feature"),
        (["yes", "No", None] * 20, Kind.BOOLEAN, "feature"),
        (["red", "blue"] * 30, Kind.CATEGORY, "feature"),
        ([f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)], Kind.DATE, "feature"),
        ([datetime.date(2024, 1, 1 + i % 28) for i in range(ROWS)], Kind.DATE, "feature"),
        ([datetime.datetime(2024, 1, 1, i % 24) for i in range(ROWS)], Kind.DATE, "feature"),
        ([f"word {i}" for i in range(ROWS)], Kind.TEXT, "dropped"),
        (list(range(ROWS)), Kind.IDENTIFIER, "dropped"),
        (list(range(1, ROWS + 1)), Kind.IDENTIFIER, "dropped"),
        (list(range(5, ROWS + 5)), Kind.NUMBER, "feature"),
        ([1.5] * ROWS, Kind.CONSTANT, "dropped"),
        (["a"] * ROWS, Kind.CONSTANT, "dropped"),
        ([1.5, None] * 30, Kind.NUMBER, "feature"),
        (pl.Series([None] * ROWS), Kind.EMPTY, "dropped"),
        ([float("nan")] * ROWS, Kind.EMPTY, "dropped"),
        (pl.Series(["a", "b"] * 30, dtype=pl.Categorical), Kind.CATEGORY, "feature"),
        (pl.Series([datetime.timedelta(hours=i % 7) for i in range(ROWS)]), Kind.NUMBER, "feature"),
    ],
)
def test_kind(values: object, kind: Kind, role: str) -> None:
    found = column(values)
    assert (found.kind, found.role) == (kind, role)
    assert bool(found.reason) == (role == "dropped")


def test_a_shuffled_column_named_id_is_an_identifier() -> None:
    values = np.random.default_rng(0).permutation(ROWS) + 100
    assert column(values, "star_id").kind is Kind.IDENTIFIER
    assert column(values, "mass").kind is Kind.NUMBER


def test_years_and_steps_that_count_up_are_numbers() -> None:
    assert column(list(range(ROWS)), "time step").kind is Kind.NUMBER


def test_a_counting_column_is_kept_when_it_is_the_only_one() -> None:
    table = pl.DataFrame({"position": range(ROWS), "y": np.sin(np.arange(ROWS))})
    found = find_columns(table, Roles(target="y"))
    assert (found[0].kind, found[0].role, found[0].reason) == (Kind.NUMBER, "feature", "")


def test_features_that_the_user_names_are_kept_even_if_suspicious() -> None:
    roles = Roles(features=["a"])
    assert column([f"word {i}" for i in range(ROWS)], roles=roles).kind is Kind.CATEGORY
    assert column(list(range(ROWS)), roles=roles).kind is Kind.NUMBER
    assert column([1] * ROWS, roles=roles).role == "dropped"


def test_columns_that_are_not_named_as_features_are_ignored() -> None:
    table = pl.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    assert [c.role for c in find_columns(table, Roles(features=["b"]))] == ["ignored", "feature"]


def test_counts_and_range() -> None:
    found = column([3.0, None, -1.0, 3.0, float("nan")])
    assert (found.missing, found.distinct, found.low, found.high) == (2, 2, -1.0, 3.0)
    found = column(["b", "a", None] * 20)
    assert (found.missing, found.distinct, found.low, found.high) == (20, 2, "a", "b")


def test_names_that_look_like_patterns_are_only_names() -> None:
    table = tidy(pl.DataFrame({"^.*$": [1.0, 2.0], "*": [1.0, 1.0]}))
    assert [c.kind for c in find_columns(table, Roles())] == [Kind.NUMBER, Kind.CONSTANT]


def test_ten_thousand_categories_that_repeat_are_a_feature() -> None:
    found = column([f"k{i % 10_000}" for i in range(30_000)])
    assert (found.kind, found.role, found.distinct) == (Kind.CATEGORY, "feature", 10_000)
