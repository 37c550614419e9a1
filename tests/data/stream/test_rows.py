"""Rows dealt by a hash, and what one pass draws and counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shoal.data.readers import ReadOptions
from shoal.data.stream.dealing import TRAIN, Dealing
from shoal.data.stream.pieces import Pieces, open_pieces
from shoal.data.stream.rows import draw

pq = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
SIZES = (0.64, 0.16, 0.20)


def rows(count: int) -> pl.DataFrame:
    """Return random rows with a rare class and groups."""
    rng = np.random.default_rng(0)
    kind = ["rare" if i % 2000 == 7 else "usual" for i in range(count)]
    return pl.DataFrame({"x": 5 + rng.normal(size=count), "kind": kind, "day": np.arange(count) // 50})


def pieces_of(path: Path, table: pl.DataFrame) -> Pieces:
    """Write a table in pieces and open them."""
    pq.write_table(table.to_arrow(), path, row_group_size=1000)
    pieces = open_pieces([path], ReadOptions())
    assert pieces is not None
    return pieces


def test_parts_are_stable_under_rows_behind_and_have_their_shares() -> None:
    """A row keeps its part, however the table grows and is cut."""
    dealing, table = Dealing(SIZES, 3), rows(20_000)
    whole = dealing.parts(table, 0)
    cut = np.concatenate([dealing.parts(table[:700], 0), dealing.parts(table[700:], 700)])
    assert np.array_equal(whole, cut)
    assert np.allclose(np.bincount(whole) / len(whole), SIZES, atol=0.02)
    assert not np.array_equal(whole, Dealing(SIZES, 4).parts(table, 0))


@pytest.mark.parametrize("kind", [pl.Int64, pl.String])
def test_groups_stay_together_wherever_they_are(kind: type[pl.DataType]) -> None:
    """By their values alone."""
    dealing, table = Dealing(SIZES, 3, "day"), rows(20_000).with_columns(pl.col("day").cast(kind))
    parts = table.with_columns(part=pl.Series(dealing.parts(table, 0)))
    assert parts.group_by("day").agg(pl.col("part").n_unique())["part"].max() == 1
    assert np.array_equal(dealing.parts(table[5000:], 5000), parts["part"].to_numpy()[5000:])
    assert np.allclose(np.bincount(parts["part"]) / len(parts), SIZES, atol=0.06)


def test_one_pass_draws_a_fair_sample_and_counts_all(tmp_path: Path) -> None:
    """Moments are those of all training rows; rare values are in the sample."""
    table, dealing = rows(20_000), Dealing(SIZES, 0)
    drawn = draw(pieces_of(tmp_path / "a.parquet", table), dealing, (1000, 500, 500))
    part = dealing.parts(table, 0)
    train = table.filter(pl.Series(part == TRAIN))
    assert drawn.counts == tuple(np.bincount(part))
    assert drawn.moments["x"].mean == pytest.approx(train["x"].mean(), abs=1e-12)
    assert drawn.moments["x"].scale == pytest.approx(train["x"].std(ddof=0), rel=1e-12)
    assert len(drawn.parts) == drawn.table.height == pytest.approx(2000, rel=0.15)
    rare = min(32, train.filter(pl.col("kind") == "rare").height)
    assert drawn.table.filter(pl.col("kind") == "rare").height >= rare


def test_all_rows_are_drawn_where_there_is_room(tmp_path: Path) -> None:
    """A sample that could hold more is the table."""
    table = rows(3000)
    drawn = draw(pieces_of(tmp_path / "a.parquet", table), Dealing(SIZES, 0), (10**6, 10**6, 10**6))
    assert drawn.table.equals(table)
