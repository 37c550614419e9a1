"""What every strategy must keep, those that will be added included."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import shoal.search.strategies
from shoal.errors import SettingError
from shoal.search.space import Categorical, Limits, Space
from shoal.search.spaces import default_space
from shoal.search.strategies import refine
from shoal.search.strategy import Outcome, Proposal, Search, get_strategy, size_of, strategy_names
from shoal.settings import check_settings
from shoal.training.hyperparameters import Hyperparameters

NAMES = strategy_names()
FREE = default_space(100, classification=True)
NAMED = {
    "learning_rate": Limits(1e-4, 0.1),
    "hidden": Categorical(((8,), (32,), (32, 32))),
    "dropout": Limits(0.0, 0.5),
    "l2": Limits(0.0, 1.0, zero=True),
    "batch_size": Limits(8, 64),
}
SPACES = {"named": FREE.naming(NAMED), "one": FREE.naming({"learning_rate": Categorical((0.1, 0.01))})}


def bowl(candidate: Hyperparameters) -> float:
    """A made-up score that is lowest at a learning rate of 0.003, no dropout and 32 units."""
    width = math.log(sum(candidate.hidden) / 32.0)
    return 1.0 + math.log10(candidate.learning_rate / 0.003) ** 2 + candidate.dropout + width**2


def searched(name: str, search: Search, score: Callable[[Hyperparameters], float] = bowl) -> list[Outcome]:
    """Return what came of a whole search."""
    outcomes: list[Outcome] = []
    for _ in range(1_000):
        more = get_strategy(name).propose(search, outcomes)
        if not more:
            return outcomes
        start = len(outcomes)
        outcomes += [Outcome(start + i, p, score(p.hyperparameters), 0.1) for i, p in enumerate(more)]
    raise AssertionError("the strategy does not end")


def outcomes_of(proposals: list[Proposal]) -> list[Outcome]:
    """Return what came of some proposals."""
    return [Outcome(i, p, bowl(p.hyperparameters), 0.1) for i, p in enumerate(proposals)]


def search_of(name: str, space: Space, count: int = 40, seed: int = 3) -> Search:
    """Return the search that a fit would make."""
    size = size_of(name, space)
    return Search(space, count, seed) if size is None else Search(space.around_middle(), size, seed)


def tried(outcomes: list[Outcome]) -> list[Hyperparameters]:
    return [outcome.proposal.hyperparameters for outcome in outcomes]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("name", NAMES)
def test_as_many_are_proposed_as_the_search_has(name: str, space: str) -> None:
    search = search_of(name, SPACES[space])
    assert len(searched(name, search)) == search.count


@pytest.mark.parametrize("name", NAMES)
def test_what_is_proposed_depends_on_the_arguments_alone(name: str) -> None:
    search = search_of(name, SPACES["named"])
    outcomes = searched(name, search)
    assert searched(name, search) == outcomes
    strategy, at = get_strategy(name), 0
    while at < len(outcomes):  # a search that goes on after an interruption is told the rounds that it had
        again = strategy.propose(search, outcomes[:at])
        assert [o.proposal for o in outcomes[at : at + len(again)]] == again
        at += len(again)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_proposed_together_has_the_same_rungs(name: str) -> None:
    together: list[Proposal] = []
    while more := get_strategy(name).propose(search_of(name, SPACES["named"]), outcomes_of(together)):
        assert len({proposal.rungs for proposal in more}) == 1
        assert list(more[0].rungs) == sorted(set(more[0].rungs))
        together += more


@pytest.mark.parametrize("name", [name for name in NAMES if size_of(name, SPACES["named"]) is None])
def test_a_search_begins_with_what_another_found(name: str) -> None:
    first = tuple(Hyperparameters(hidden=(width,), epochs=200) for width in (9, 10, 11))
    candidates = tried(searched(name, replace(search_of(name, SPACES["named"]), first=first)))
    assert tuple(candidates[:3]) == first
    assert candidates[3:30] != candidates[:27]


@pytest.mark.parametrize("name", NAMES)
def test_proposals_stay_within_the_space(name: str) -> None:
    search = search_of(name, SPACES["named"])
    for candidate in tried(searched(name, search)):
        assert Hyperparameters.model_validate(candidate.model_dump()) == candidate
        assert 1e-4 <= candidate.learning_rate <= 0.1
        assert candidate.hidden in NAMED["hidden"].values  # type: ignore[union-attr]
        assert candidate.l2 == 0.0 or 1e-3 <= candidate.l2 <= 1.0
        assert 0.0 <= candidate.dropout <= 0.5
        assert 8 <= candidate.batch_size <= 64
        assert candidate.activation[0] in ("relu", "tanh", "silu")


@pytest.mark.parametrize("name", NAMES)
def test_every_named_hyperparameter_moves_and_what_is_fixed_does_not(name: str) -> None:
    space = SPACES["named"].fixing({"activation": ("gelu",)})
    candidates = tried(searched(name, search_of(name, space)))
    for knob in NAMED:
        assert len({getattr(candidate, knob) for candidate in candidates}) > 1, knob
    assert {candidate.activation for candidate in candidates} == {("gelu",)}


@pytest.mark.parametrize("name", NAMES)
def test_candidates_that_diverged_end_no_search(name: str) -> None:
    search = search_of(name, SPACES["named"])
    assert len(searched(name, search, lambda _: math.inf)) == search.count


@pytest.mark.parametrize("name", NAMES)
def test_a_search_of_nothing_that_varies_is_refused_or_repeats_it(name: str) -> None:
    space = FREE.fixing({part: getattr(Hyperparameters(), part) for part in FREE.parts})
    if size_of(name, SPACES["named"]) is not None:
        with pytest.raises(SettingError, match="name alternatives or limits"):
            search_of(name, space)
        return
    search = search_of(name, space, count=3)
    assert len(set(tried(searched(name, search)))) == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_strategy_is_a_setting_by_its_file_name(name: str) -> None:
    assert check_settings({"search": name}).search == name
    assert get_strategy(name).__doc__


def test_one_file_adds_a_strategy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "none_at_all.py").write_text("def propose(search, outcomes):\n    return []\n", encoding="utf-8")
    monkeypatch.setattr(shoal.search.strategies, "__path__", [*shoal.search.strategies.__path__, str(tmp_path)])
    assert "none-at-all" in strategy_names()
    assert get_strategy("none-at-all").propose(Search(FREE, 3), ()) == []


# each for itself


def test_random_fills_limits_evenly_and_leaves_the_others_as_they_were() -> None:
    space = FREE.naming({"learning_rate": Limits(1e-4, 0.1), "dropout": Limits(0.0, 0.5)})
    named = tried(searched("random", Search(space, 64, 5)))
    free = tried(searched("random", Search(FREE, 64, 5)))
    same = {"learning_rate", "dropout"}
    assert [c.model_dump(exclude=same) for c in named] == [c.model_dump(exclude=same) for c in free]
    places = np.log10([candidate.learning_rate for candidate in named])
    counts = np.histogram(places, bins=16, range=(-4, -1))[0]
    assert counts.tolist() == [4] * 16  # base 2: each sixteenth as often as the others
    thirds = np.histogram([candidate.dropout for candidate in named[:63]], bins=3, range=(0.0, 0.5))[0]
    assert thirds.tolist() == [21, 21, 21]


def test_alternatives_come_as_often_as_each_other() -> None:
    space = FREE.naming({"optimizer": Categorical(("adam", "sgd"))})
    names = [candidate.optimizer for candidate in tried(searched("random", Search(space, 64, 1)))]
    assert names.count("adam") == names.count("sgd") == 32


def test_a_grid_has_every_combination_once() -> None:
    space = FREE.naming(
        {"l2": Categorical((0.0, 0.1)), "hidden": Limits((8,), (12,)), "batch_size": Categorical((8, 16))}
    )
    candidates = tried(searched("grid", search_of("grid", space)))
    points = {(c.l2, c.hidden, c.batch_size) for c in candidates}
    assert len(candidates) == len(points) == 2 * 5 * 2
    assert {width for _, (width,), _ in points} == {8, 9, 10, 11, 12}
    assert len({(c.activation, c.optimizer, c.learning_rate, c.dropout) for c in candidates}) == 1


def test_of_a_large_grid_some_points_are_taken_at_random() -> None:
    space = SPACES["named"]
    size = size_of("grid", space)
    assert size == 5 * 3 * 5 * 5 * 5
    few = [tried(searched("grid", Search(space.around_middle(), 50, seed))) for seed in (0, 0, 1)]
    assert few[0] == few[1] != few[2]
    assert len(set(few[0])) == 50


def test_one_at_a_time_moves_one_from_the_base() -> None:
    base, *moved = tried(searched("one-at-a-time", search_of("one-at-a-time", SPACES["named"])))
    assert (base.learning_rate, base.hidden, base.l2, base.dropout) == (0.0032, (8,), 0.01, 0.25)
    for candidate in moved:
        changed = [n for n in Hyperparameters.model_fields if getattr(candidate, n) != getattr(base, n)]
        assert len(changed) == 1
        assert changed[0] in NAMED
    assert sum(candidate.hidden != base.hidden for candidate in moved) == 2
    with pytest.raises(SettingError, match="has 19 candidates, and networks=7 leaves no room"):
        get_strategy("one-at-a-time").propose(Search(SPACES["named"].around_middle(), 7), ())


WIDE = {"learning_rate": Limits(1e-6, 1.0), "dropout": Limits(0.0, 0.9), "hidden": Limits((2,), (500,))}


@pytest.mark.parametrize(
    ("name", "space", "seeds"),
    [("refine", FREE.naming(WIDE), 6), ("evolution", FREE.naming(WIDE), 6), ("surrogate", FREE, 3)],
)
def test_learning_from_scores_ends_nearer_than_drawing(name: str, space: Space, seeds: int) -> None:
    ends = {
        each: np.mean([min(o.score for o in searched(each, Search(space, 64, seed))) for seed in range(seeds)])
        for each in ("random", name)
    }
    assert ends[name] < 1.0 + 0.75 * (ends["random"] - 1.0)


def test_refining_moves_one_of_the_best_at_a_time() -> None:
    search = Search(SPACES["named"], 64, 0)
    outcomes = searched("refine", search)
    for start in range(refine.FIRST, 64, refine.LATER):
        best = min(outcomes[:start], key=lambda outcome: outcome.score).proposal.hyperparameters
        for candidate in tried(outcomes[start : start + refine.LATER]):
            assert sum(getattr(candidate, n) != getattr(best, n) for n in Hyperparameters.model_fields) <= 1
