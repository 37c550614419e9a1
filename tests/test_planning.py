"""What a fit would do, told without training."""

from __future__ import annotations

from typing import Any

import pytest

import shoal


@pytest.mark.parametrize(
    ("settings", "candidates", "networks", "epochs"),
    [
        ({"networks": 10, "epochs": 7}, 10, 10, 70),
        ({"networks": 20, "epochs": 7}, 20, 100, 700),
        ({"networks": 4, "cv": 3, "repeats": 2, "epochs": 7}, 4, 24, 168),
        ({"search": "grid", "l2": "0; 1", "dropout": "0; 0.1; 0.2", "epochs": 5}, 6, 6, 30),
        ({"search": "refine", "networks": 40, "epochs": 3}, 40, 40, 120),
        ({"search": "halving", "networks": 64, "epochs": 90, "patience": 30}, 64, 64, 64 * 10 + 22 * 20 + 8 * 60),
    ],
)
def test_a_plan_counts_what_would_be_trained(
    settings: dict[str, Any], candidates: int, networks: int, epochs: int
) -> None:
    plan = shoal.plan("iris", engine="native", **settings)
    assert (plan.candidates, plan.networks, plan.epochs, plan.programs) == (candidates, networks, epochs, 0)
    assert plan.memory > 1e8
    assert plan.seconds > 0.0


def test_more_networks_take_more() -> None:
    few, many = (shoal.plan("iris", networks=count, cv="none") for count in (10, 3_000))
    assert many.memory > few.memory + 3e7
    assert many.seconds > few.seconds
    assert shoal.plan("iris", networks=20, minutes=0.01).seconds <= 0.6


def test_a_plan_refuses_what_a_fit_refuses() -> None:
    with pytest.raises(shoal.ShoalError, match="grid tries what you name"):
        shoal.plan("iris", search="grid")


def test_images_halve_where_nothing_is_named() -> None:
    usual = shoal.plan("digit_images", engine="native")
    assert (usual.candidates, usual.epochs) == (24, 24 * 15 + 8 * 45)
    for named in ({"search": "random"}, {"networks": 24}, {"learning_rate": "0.001..0.01"}, {"until": "accuracy=0.99"}):
        assert shoal.plan("digit_images", engine="native", **named).epochs == 24 * 60
