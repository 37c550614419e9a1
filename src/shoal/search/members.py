"""From candidates to members: every candidate once for each fold and repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member


def members_of(
    candidates: Sequence[Hyperparameters], folds: int | None = None, repeats: int = 1, *, rolling: bool = False
) -> list[Member]:
    """Return candidate × repeat × fold as members.

    The member of candidate c in repeat r and fold f has the id `c · repeats · folds + r · folds + f`, so that its
    random numbers depend neither on how many candidates there are nor on how they are trained. One half of its fold
    stops it, and the other tells of new rows: which one alternates from candidate to candidate and from fold to fold,
    so that the networks of several candidates tell of all rows.

    Args:
        candidates: the choices of all hyperparameters.
        folds: of a cross-validation; None: separate validation rows.
        repeats: members of each candidate and fold.
        rolling: folds in time, of which each has too few rows to divide.

    Example:
        >>> [(m.id, m.candidate, m.repeat, m.fold, m.half) for m in members_of([Hyperparameters()] * 2, 2)]
        [(0, 0, 0, 0, 0), (1, 0, 0, 1, 1), (2, 1, 0, 0, 1), (3, 1, 0, 1, 0)]
    """
    members: list[Member] = []
    for candidate, hyperparameters in enumerate(candidates):
        for repeat in range(repeats):
            for fold in range(folds or 1):
                where = None if folds is None else fold
                half = -1 if folds is None or rolling else (candidate + repeat + fold) % 2
                members.append(Member(len(members), hyperparameters, candidate, where, repeat, half=half))
    return members


APART = 1 << 20
"""How far the ids of one draw's replicas lie from those of the next, and of the members themselves."""


def replicas_of(kept: Sequence[Member], draws: int) -> list[Member]:
    """Return the kept members once for each draw of the target errors, draw after draw.

    All replicas of one draw see the same redrawn targets, so that together they are the ensemble as it would have
    come out of another measurement. A replica begins with the weights of its member: others would add how much training
    varies, which the spread of the members tells already, and more than that: the members were kept because theirs went
    well. Its id is `APART · (draw + 1) + id`, which depends neither on the number of draws nor on who else was kept.

    Args:
        kept: members of the ensemble; their ids lie below `APART`.
        draws: how many.

    Example:
        >>> kept = members_of([Hyperparameters()] * 2)
        >>> [(m.id, m.candidate, m.draw) for m in replicas_of(kept, 2)]
        [(1048576, 0, 0), (1048577, 1, 0), (2097152, 0, 1), (2097153, 1, 1)]
    """
    return [
        replace(member, id=APART * (draw + 1) + member.id, replica=True, draw=draw, origin=member.id)
        for draw in range(draws)
        for member in kept
    ]
