"""The networks that are kept, as plain data and named arrays and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.networks import Network
from shoal.networks.named_arrays import named_arrays, named_parameters
from shoal.networks.parameter_vector import ParameterVector, joined


@dataclass(frozen=True, slots=True)
class EnsembleMember:
    """One network with its trained parameters, and the fold of a repeat that it did not learn from.

    Of a replica, `draw` is the number of the redrawn targets that it learned from, and `origin` the kept network that
    it repeats.
    """

    id: int
    candidate: dict[str, Any]
    network: Network
    parameters: Sequence[Mapping[str, np.ndarray]]
    fold: int | None = None
    repeat: int = 0
    draw: int | None = None
    origin: int | None = None

    @property
    def weights(self) -> dict[str, dict[str, np.ndarray]]:
        """The parameters by the names of their layers, `weights["dense"]["kernel"]`, as Keras names them."""
        return self.network.named(self.parameters)


def members_to_parts(
    part: str, members: Sequence[EnsembleMember], arrays: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return networks as plain data, and add their parameters to the named arrays."""
    for k, member in enumerate(members):
        arrays.update(named_arrays(f"{part}/{k}", member.parameters))
    return [{"id": member.id, **_described(member)} for member in members]


def members_from_parts(
    part: str, document: dict[str, Any], arrays: dict[str, np.ndarray]
) -> tuple[EnsembleMember, ...]:
    """Return the networks that `members_to_parts` described."""
    members = []
    for k, entry in enumerate(document.get(part, ())):
        network = Network.from_dict(entry["network"])
        vector = joined(network, named_parameters(f"{part}/{k}", network, arrays))
        parameters = ParameterVector(network, vector)  # as the kernel reads them
        where = entry.get("fold"), entry.get("repeat", 0), entry.get("draw"), entry.get("origin")
        members.append(EnsembleMember(entry["id"], entry["candidate"], network, parameters, *where))
    return tuple(members)


def replicas_to_parts(replicas: Sequence[EnsembleMember], arrays: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return the replicas of each member as plain data, said once for all of them; their numbers go to the arrays.

    Added are, for the k-th member, `replicas/k/ids`, `replicas/k/draws` and `replicas/k/parameters`, a row for each
    replica: all parameters, layer by layer.
    """
    of_members: dict[int | None, list[EnsembleMember]] = {}
    for replica in replicas:
        of_members.setdefault(replica.origin, []).append(replica)
    for k, several in enumerate(of_members.values()):
        arrays[f"replicas/{k}/parameters"] = np.stack([joined(r.network, r.parameters) for r in several])
        arrays[f"replicas/{k}/ids"] = np.asarray([r.id for r in several], np.int64)
        arrays[f"replicas/{k}/draws"] = np.asarray([r.draw for r in several], np.int64)
    return [{"origin": origin, **_described(several[0])} for origin, several in of_members.items()]


def replicas_from_parts(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> tuple[EnsembleMember, ...]:
    """Return the replicas that `replicas_to_parts` described, draw by draw, or those of format 3."""
    described = document.get("replicas", ())
    if "replicas/0/parameters" not in arrays:
        return members_from_parts("replicas", document, arrays)
    replicas = []
    for k, entry in enumerate(described):
        network, candidate = Network.from_dict(entry["network"]), entry["candidate"]
        where = entry.get("fold"), entry.get("repeat", 0)
        numbers = (arrays[f"replicas/{k}/{name}"] for name in ("ids", "draws", "parameters"))
        for identity, draw, row in zip(*numbers, strict=True):
            vector = ParameterVector(network, row)
            replicas.append(
                EnsembleMember(int(identity), candidate, network, vector, *where, int(draw), entry["origin"])
            )
    return tuple(sorted(replicas, key=lambda replica: replica.draw or 0))


def _described(member: EnsembleMember) -> dict[str, Any]:
    described: dict[str, Any] = {"candidate": member.candidate, "network": member.network.to_dict()}
    return described if member.fold is None else {**described, "fold": member.fold, "repeat": member.repeat}
