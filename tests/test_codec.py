"""Records are written as their fields say, and read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from shoal.codec import ArrayRecord, PlainRecord


@dataclass(frozen=True)
class Point:
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Line(PlainRecord):
    tag = "kind"
    kind: ClassVar[str] = "line"
    name: str
    points: tuple[Point, ...]
    middle: Point | None = None
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, eq=False)
class Curves(ArrayRecord):
    name: str
    rows: np.ndarray
    curves: tuple[np.ndarray, ...] = ()


@pytest.mark.parametrize("middle", [None, Point(0.5, 0.5)])
def test_a_record_of_records_comes_back(middle: Point | None) -> None:
    line = Line("a", (Point(0.0), Point(1.0, 1.0)), middle, ((0, 1), (2, 3)))
    data = line.to_dict()
    assert next(iter(data)) == "kind"
    assert data["points"][1] == {"x": 1.0, "y": 1.0}
    assert Line.from_dict(data) == line


def test_what_an_earlier_version_did_not_write_is_the_default() -> None:
    assert Line.from_dict({"kind": "line", "name": "a", "points": [{"x": 1.0}]}) == Line("a", (Point(1.0),))


def test_an_unknown_entry_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        Line.from_dict({"kind": "line", "name": "a", "points": [], "colour": "red"})


@pytest.mark.parametrize("count", [0, 2])
def test_arrays_lie_beside_the_plain_data(count: int) -> None:
    curves = Curves("a", np.arange(3.0), tuple(np.full(2, k) for k in range(count)))
    document, arrays = curves.to_parts()
    assert document == {"name": "a", "curves": count}
    assert set(arrays) == {"rows", *(f"curves/{k}" for k in range(count))}
    again, arrays_again = Curves.from_parts(document, arrays).to_parts()
    assert again == document
    assert all(arrays_again[name] is array for name, array in arrays.items())
