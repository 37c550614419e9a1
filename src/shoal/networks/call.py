"""One call of a network, and what each of its layers receives of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shoal.networks.initializers import Shape
from shoal.networks.layers import Context


@dataclass(frozen=True)
class Call:
    """What one call of a network receives besides parameters and batch; see `Network.apply`."""

    training: bool = False
    numbers: Sequence[Mapping[str, Any]] | None = None
    random: Callable[[int, Shape], Any] | None = None
    logits: bool = False
    present: Any = None
    record: Callable[[int, str, Any], None] | None = None

    def context(self, layer: int, source: int, mask: Any, *, last: bool) -> Context:
        """Return what a layer receives whose sources of random numbers are counted from `source` on."""
        return Context(
            training=self.training,
            numbers={} if self.numbers is None else self.numbers[layer],
            random=None if self.random is None else _drawn_from(self.random, source),
            logits=self.logits and last,
            mask=mask,
            present=self.present,
            record=None if self.record is None else partial(self.record, layer),
        )


def _drawn_from(random: Callable[[int, Shape], Any], first: int) -> Callable[..., Any]:
    """Return the numbers of a layer whose sources are counted from `first` on."""
    return lambda shape, part=0: random(first + part, shape)
