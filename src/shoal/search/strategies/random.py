"""Random search: candidates drawn independently (Bergstra and Bengio, JMLR 13, 281, 2012)."""

from __future__ import annotations

from shoal.search.space import Space
from shoal.streams import Stream
from shoal.training.hyperparameters import Hyperparameters

CANDIDATE = 3  # the path of the streams that draw candidates


def propose(space: Space, count: int, seed: int, start: int = 0) -> list[Hyperparameters]:
    """Return candidates `start` … `start + count - 1`; each depends on the seed and its number alone.

    Example:
        >>> from shoal.search.space import Fixed
        >>> [candidate.hidden for candidate in propose(Space({"hidden": Fixed((8,))}), 2, seed=0)]
        [(8,), (8,)]
    """
    return [space.draw(Stream(seed, CANDIDATE, number)) for number in range(start, start + count)]
