"""Candidates become members: identities, folds, repeats."""

from __future__ import annotations

from shoal.search.members import members_of
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member

CANDIDATES = [Hyperparameters(hidden=(units,)) for units in (2, 3, 4)]


def test_without_folds_and_repeats_a_candidate_is_a_member() -> None:
    assert members_of(CANDIDATES) == [Member(i, candidate) for i, candidate in enumerate(CANDIDATES)]


def test_every_candidate_meets_every_fold_in_every_repeat() -> None:
    members = members_of(CANDIDATES, 5, 2)
    assert len({(m.candidate, m.repeat, m.fold) for m in members}) == len(members) == 30
    for m in members:
        assert m.fold is not None
        assert m.id == m.candidate * 10 + m.repeat * 5 + m.fold
        assert m.hyperparameters is CANDIDATES[m.candidate]


def test_repeats_without_folds_have_no_fold() -> None:
    members = members_of(CANDIDATES, None, 2)
    assert [(m.id, m.candidate, m.repeat, m.fold) for m in members] == [
        (2 * c + r, c, r, None) for c in range(3) for r in range(2)
    ]


def test_more_candidates_change_no_member() -> None:
    assert members_of(CANDIDATES, 3, 2)[:12] == members_of(CANDIDATES[:2], 3, 2)
