"""Random search: candidates drawn independently (Bergstra and Bengio, JMLR 13, 281, 2012)."""

from __future__ import annotations

from shoal.search.space import Space
from shoal.streams import Stream
from shoal.training.member import Member

CANDIDATE = 3  # the path of the streams that draw candidates


def propose(space: Space, count: int, seed: int, start: int = 0) -> list[Member]:
    """Return members `start` … `start + count - 1`; a member's candidate depends on the seed and its id alone.

    Example:
        >>> from shoal.search.space import Fixed
        >>> [member.id for member in propose(Space({"hidden": Fixed((8,))}), 2, seed=0)]
        [0, 1]
    """
    ids = range(start, start + count)
    return [Member(id, space.draw(Stream(seed, CANDIDATE, id))) for id in ids]
