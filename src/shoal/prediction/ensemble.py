"""The networks that are kept, as plain data and named arrays and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.networks.named_arrays import named_arrays, named_parameters


@dataclass(frozen=True)
class EnsembleMember:
    """One network with its trained parameters, and the fold of a repeat that it did not learn from.

    Of a replica, `draw` is the number of the redrawn targets that it learned from, and `origin` the kept network that
    it repeats.
    """

    id: int
    candidate: dict[str, Any]
    network: Network
    parameters: list[dict[str, np.ndarray]]
    fold: int | None = None
    repeat: int = 0
    draw: int | None = None
    origin: int | None = None

    @property
    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The parameters by the names of their layers, `weights["dense"]["kernel"]`, as Keras names them."""
        return self.network.named(self.parameters)


def members_to_parts(
    part: str, members: tuple[EnsembleMember, ...], arrays: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return networks as plain data, and add their parameters to the named arrays."""
    for k, member in enumerate(members):
        arrays.update(named_arrays(f"{part}/{k}", member.parameters))
    return [_described(member) for member in members]


def members_from_parts(
    part: str, document: dict[str, Any], arrays: dict[str, np.ndarray]
) -> tuple[EnsembleMember, ...]:
    """Return the networks that `members_to_parts` described."""
    members = []
    for k, entry in enumerate(document.get(part, ())):
        network = Network.from_dict(entry["network"])
        parameters = named_parameters(f"{part}/{k}", network, arrays)
        where = entry.get("fold"), entry.get("repeat", 0), entry.get("draw"), entry.get("origin")
        members.append(EnsembleMember(entry["id"], entry["candidate"], network, parameters, *where))
    return tuple(members)


@lru_cache(maxsize=512)
def _document(network: Network) -> dict[str, Any]:
    """Return a network as plain data, once for all replicas of a member."""
    return network.to_dict()


def _described(member: EnsembleMember) -> dict[str, Any]:
    described: dict[str, Any] = {"id": member.id, "candidate": member.candidate, "network": _document(member.network)}
    if member.fold is not None:
        described |= {"fold": member.fold, "repeat": member.repeat}
    return described if member.draw is None else {**described, "draw": member.draw, "origin": member.origin}
