"""Candidates: the mean over their members, its standard error, who is kept."""

from __future__ import annotations

import numpy as np
import pytest

from shoal.search.results.ranking import choose_candidates, rank_candidates

INF, NAN = float("inf"), float("nan")


def test_a_candidate_scores_the_mean_of_its_members() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4, 10))
    ranked = rank_candidates(np.repeat(range(4), 10).tolist(), scores.ravel().tolist(), 10)
    assert [s.candidate for s in ranked] == np.argsort(scores.mean(axis=1)).tolist()
    for s in ranked:
        assert s.score == pytest.approx(scores[s.candidate].mean())
        assert s.error == pytest.approx(scores[s.candidate].std(ddof=1) / np.sqrt(10))
        assert s.members == tuple(range(10 * s.candidate, 10 * s.candidate + 10))


def test_members_may_come_in_any_order() -> None:
    ranked = rank_candidates([1, 0, 1, 0], [4.0, 1.0, 2.0, 3.0], 2)
    assert [(s.candidate, s.members, s.score) for s in ranked] == [(0, (1, 3), 2.0), (1, (0, 2), 3.0)]


@pytest.mark.parametrize("bad", [INF, NAN])
def test_a_candidate_with_a_member_that_diverged_ranks_last(bad: float) -> None:
    ranked = rank_candidates([0, 0, 1, 1], [0.0, bad, 5.0, 6.0], 2)
    assert [s.candidate for s in ranked] == [1, 0]
    assert ranked[1].score == INF
    assert [s.candidate for s in choose_candidates(ranked, 5)] == [1]


def test_a_candidate_that_was_not_trained_whole_ranks_last() -> None:
    ranked = rank_candidates([0, 0, 0, 1, 1], [9.0, 9.0, 9.0, 0.0, 0.0], 3)
    assert [(s.candidate, s.score) for s in ranked] == [(0, 9.0), (1, INF)]


def test_one_member_has_no_standard_error() -> None:
    (alone,) = rank_candidates([0], [0.5])
    assert alone.score == 0.5
    assert np.isnan(alone.error)


@pytest.mark.parametrize(
    ("scores", "keep", "expected"),
    [
        ([0.3, 0.1, 0.2, 0.4], None, [1, 2]),
        ([0.3, 0.1, 0.2], None, [1, 2]),
        ([0.5], None, [0]),
        ([0.3, INF, 0.2], None, [2]),
        ([0.3, NAN, 0.2], 5, [2, 0]),
        ([0.3, 0.1, 0.2, 0.4], 1, [1]),
        ([0.2, 0.1, 0.1], 2, [1, 2]),
        ([INF] * 3, None, []),
        ([float(i) for i in range(40)], None, list(range(8))),
    ],
)
def test_the_best_are_kept(scores: list[float], keep: int | None, expected: list[int]) -> None:
    ranked = rank_candidates(range(len(scores)), scores)
    assert [s.candidate for s in choose_candidates(ranked, keep)] == expected
