"""The space of candidates: ranges, fixing, printing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal.search.space import Categorical, Fixed, LogUniform, Widths
from shoal.search.spaces import default_space, single_space
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters

SEEDS = st.integers(0, 2**32)


def test_choices_are_as_likely() -> None:
    drawn = [Categorical(("a", "b", "c")).draw(Stream(0, i)) for i in range(900)]
    assert all(abs(drawn.count(value) - 300) < 60 for value in "abc")


def test_log_uniform_is_even_in_the_logarithm() -> None:
    drawn = np.asarray([LogUniform(1e-3, 1e1).draw(Stream(0, i)) for i in range(1000)])
    counts = np.histogram(np.log10(drawn), bins=4, range=(-3, 1))[0]
    assert np.abs(counts - 250).max() < 60
    assert all(float(f"{value:.4g}") == value for value in drawn)


@given(SEEDS, st.floats(1e-6, 1.0), st.floats(1.0, 1e3))
def test_log_uniform_stays_within_its_limits(seed: int, low: float, factor: float) -> None:
    assert low <= LogUniform(low, low * factor).draw(Stream(seed)) <= low * factor


def test_rounding_stays_within_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(0)
    monkeypatch.setattr(stream, "bits", lambda count: np.full(count, 0xFFFFFFFF, np.uint32))
    assert Widths((1, 1), (4, 32)).draw(stream) == (32,)
    assert LogUniform(0.1, 0.99999).draw(stream) == 0.99999


def test_widths_reach_both_ends() -> None:
    drawn = [Widths((1, 3), (4, 8)).draw(Stream(1, i)) for i in range(500)]
    assert {len(widths) for widths in drawn} == {1, 2, 3}
    assert {units for widths in drawn for units in widths} == {4, 5, 6, 7, 8}


def test_layers_of_one_candidate_differ_in_width() -> None:
    drawn = [Widths((2, 2), (4, 64)).draw(Stream(1, i)) for i in range(20)]
    assert sum(a != b for a, b in drawn) > 15


def test_a_fixed_value_draws_nothing() -> None:
    stream = Stream(5)
    assert Fixed((8,)).draw(stream) == (8,)
    assert np.array_equal(stream.bits(2), Stream(5).bits(2))


@pytest.mark.parametrize("name", list(default_space(100, True).parts))
def test_fixing_one_hyperparameter_moves_no_other(name: str) -> None:
    space = default_space(100, classification=True)
    value = getattr(Hyperparameters(), name)
    for i in range(5):
        free, bound = space.draw(Stream(0, i)), space.fixing({name: value}).draw(Stream(0, i))
        assert getattr(bound, name) == value
        assert bound.model_dump(exclude={name}) == free.model_dump(exclude={name})


def test_fixing_a_hyperparameter_that_is_not_searched() -> None:
    space = default_space(100, classification=False).fixing({"momentum": 0.5})
    assert space.draw(Stream(0)).momentum == 0.5
    assert ("momentum", "always 0.5") in space.table()


def test_what_varies() -> None:
    space = default_space(100, classification=True)
    assert space.varies
    assert not space.fixing({name: getattr(Hyperparameters(), name) for name in space.parts}).varies


def test_the_table_can_be_printed() -> None:
    space = default_space(100, classification=True).fixing({"hidden": (64, 32), "l2": 0.0})
    lines = [" ".join(line.split()) for line in str(space).splitlines()]
    assert len(lines) == len(space.table()) == len(space.parts)
    assert "hidden always 64, 32" in lines
    assert "l2 always 0.0" in lines
    assert "learning_rate 0.001 to 0.03, even in the logarithm" in lines
    assert "optimizer one of adam, adamw, nadam" in lines
    assert str(Widths((1, 2), (4, 32))) == "1 to 2 layers of 4 to 32 units"


@pytest.mark.parametrize("rows", [10, 499, 500, 4_999, 5_000, 49_999, 50_000, 10**7])
@pytest.mark.parametrize("classification", [True, False])
def test_default_spaces_draw_valid_candidates(rows: int, classification: bool) -> None:
    space = default_space(rows, classification)
    for i in range(20):
        candidate = space.draw(Stream(3, i))
        assert candidate.patience <= candidate.epochs
        assert candidate.label_smoothing == 0.0


def test_networks_that_forecast_see_each_step_in_its_place_through_one_hidden_layer_or_none() -> None:
    space = default_space(200, classification=False, shape=(24, 1), forecast=True)
    drawn = [space.candidate(0, number) for number in range(24)]
    assert {candidate.layers for candidate in drawn} == {"flatten"}
    assert {len(candidate.hidden) for candidate in drawn} == {0, 1}


def test_more_rows_get_wider_networks() -> None:
    def mean_width(rows: int) -> float:
        drawn = [default_space(rows, True).parts["hidden"].draw(Stream(0, i))[0] for i in range(60)]
        return float(np.mean(np.log(drawn)))

    widths = [mean_width(rows) for rows in (100, 1_000, 10_000, 100_000)]
    assert widths == sorted(widths)
    assert math.exp(widths[0]) < 16.0 < math.exp(widths[-1])


def test_a_single_network_is_the_one_that_was_described() -> None:
    space = single_space(50).fixing({"hidden": (8,), "batch_size": 8})
    assert not space.varies
    plain = Hyperparameters(hidden=(8,), batch_size=8, epochs=50, patience=50)
    assert {space.draw(Stream(seed)) for seed in range(5)} == {plain}
