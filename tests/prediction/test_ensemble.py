"""Kept networks as plain data and arrays: what is written is what is read, and replicas are described once a member."""

from __future__ import annotations

import json

import numpy as np

from shoal.networks import Network
from shoal.prediction.ensemble import EnsembleMember, members_to_parts, replicas_from_parts, replicas_to_parts

NETWORKS = {4: Network.parse("2 3:relu 1"), 9: Network.parse("2 5 1")}


def replicas(draws: int) -> list[EnsembleMember]:
    return [
        EnsembleMember(
            100 * draw + origin, {"hidden": [origin]}, network, network.initialize(draw), *where, draw, origin
        )
        for draw in range(draws)
        for (origin, network), where in zip(NETWORKS.items(), [(None, 0), (1, 2)], strict=True)
    ]


def assert_same(several: tuple[EnsembleMember, ...], expected: list[EnsembleMember]) -> None:
    for one, other in zip(several, expected, strict=True):
        assert (one.id, one.draw, one.origin) == (other.id, other.draw, other.origin)
        assert (one.candidate, one.network, one.fold, one.repeat) == (
            other.candidate,
            other.network,
            other.fold,
            other.repeat,
        )
        for layer, of_other in zip(one.parameters, other.parameters, strict=True):
            assert all(np.array_equal(layer[name], array) for name, array in of_other.items())


def test_replicas_survive_draw_by_draw_where_one_is_missing() -> None:
    each = replicas(4)
    del each[2]  # of the first member, in the second draw
    arrays: dict[str, np.ndarray] = {}
    document = {"replicas": replicas_to_parts(each, arrays)}
    assert_same(replicas_from_parts(json.loads(json.dumps(document)), arrays), each)


def test_more_replicas_are_more_rows_and_no_more_text() -> None:
    few: dict[str, np.ndarray] = {}
    many: dict[str, np.ndarray] = {}
    assert replicas_to_parts(replicas(2), few) == replicas_to_parts(replicas(50), many)
    assert {name: len(array) for name, array in many.items()} == {name: 25 * len(array) for name, array in few.items()}


def test_replicas_of_format_3_are_read() -> None:
    each, arrays = replicas(3), dict[str, np.ndarray]()
    described = members_to_parts("replicas", each, arrays)
    old = [{**entry, "draw": r.draw, "origin": r.origin} for entry, r in zip(described, each, strict=True)]
    assert_same(replicas_from_parts({"replicas": old}, arrays), each)


def test_there_may_be_no_replicas() -> None:
    assert replicas_from_parts({}, {}) == ()
