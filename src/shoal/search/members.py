"""From candidates to members: every candidate once for each fold and repeat."""

from __future__ import annotations

from collections.abc import Sequence

from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member


def members_of(candidates: Sequence[Hyperparameters], folds: int | None = None, repeats: int = 1) -> list[Member]:
    """Return candidate × repeat × fold as members.

    The member of candidate c in repeat r and fold f has the id `c · repeats · folds + r · folds + f`, so that its
    random numbers depend neither on how many candidates there are nor on how they are trained.

    Args:
        candidates: the choices of all hyperparameters.
        folds: of a cross-validation; None: separate validation rows.
        repeats: members of each candidate and fold.

    Example:
        >>> [(m.id, m.candidate, m.repeat, m.fold) for m in members_of([Hyperparameters()] * 2, 2)]
        [(0, 0, 0, 0), (1, 0, 0, 1), (2, 1, 0, 0), (3, 1, 0, 1)]
    """
    members: list[Member] = []
    for candidate, hyperparameters in enumerate(candidates):
        for repeat in range(repeats):
            for fold in range(folds or 1):
                where = None if folds is None else fold
                members.append(Member(len(members), hyperparameters, candidate, where, repeat))
    return members
