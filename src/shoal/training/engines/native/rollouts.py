"""Many small policies that act in an environment, a member's episodes in each lane of the kernel."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from shoal.networks import ACTIVATIONS, Dense, Network
from shoal.training.engines.native.graphs import ACTIVATION_CODES
from shoal.training.engines.native.library import Kernel, loaded_library
from shoal.training.engines.native.records import ROLLOUT


class Episodes(NamedTuple):
    """What came of episodes, `(members, episodes)`: sum of the rewards, steps, how many of the last were good."""

    fitness: np.ndarray
    steps: np.ndarray
    good: np.ndarray


@lru_cache(maxsize=1)
def _function() -> Any:
    """Return the library's function, or None where it has none that fits."""
    found = loaded_library()
    if found is None or not hasattr(found, "shoal_rollout"):
        return None
    found.shoal_rollout_size.argtypes, found.shoal_rollout_size.restype = [], ctypes.c_int64
    if found.shoal_rollout_size() != ROLLOUT.itemsize:
        return None
    found.shoal_rollout.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int32]
    found.shoal_rollout.restype = None
    return found.shoal_rollout


def can_roll_out(network: Network) -> bool:
    """Return whether the kernel can compute a policy: dense layers with activations of each number alone."""
    return _function() is not None and all(
        isinstance(layer, Dense) and not layer.table and _elementwise(layer.activation) for layer in network.layers
    )


def _elementwise(activation: Any) -> bool:
    return activation is None or (isinstance(activation, str) and ACTIVATIONS[activation].elementwise)


def roll_out(
    kernel: Kernel,
    network: Network,
    environment: int,
    limit: int,
    parameters: np.ndarray,
    starts: np.ndarray,
    cores: int,
) -> Episodes:
    """Return what policies do from each start; a member's numbers hang on nothing but its parameters and the start.

    Args:
        kernel: that runs.
        network: the policy of all members, for which `can_roll_out` holds.
        environment: its number in the kernel.
        limit: steps after which an episode ends.
        parameters: `(members, parameters of the network)` float32.
        starts: `(episodes, states)` float32.
        cores: threads.
    """
    members, episodes = len(parameters), len(starts)
    parameters, starts = (np.ascontiguousarray(array, np.float32) for array in (parameters, starts))
    layers: Sequence[Any] = network.layers
    sizes = np.asarray([network.input_shape[0], *(layer.units for layer in layers)], np.int32)
    codes = np.asarray([ACTIVATION_CODES[layer.activation or "linear"] for layer in layers], np.int32)
    biased = np.asarray([layer.use_bias for layer in layers], np.int32)
    said = Episodes(*(np.empty((members, episodes), kind) for kind in (np.float32, np.int32, np.int32)))
    arrays = {"parameters": parameters, "starts": starts, "sizes": sizes, "activations": codes, "biased": biased}
    numbers = {"environment": environment, "members": members, "episodes": episodes, "layers": len(layers)}
    wanted = -(
        -kernel.lanes * cores * 4 // members
    )  # chunks of a member's episodes, so that few members fill all lanes
    numbers |= {"size": parameters.shape[1], "limit": limit, "chunk": -(-episodes // min(episodes, wanted))}
    rollout = np.zeros(1, ROLLOUT)
    for name, array in {**arrays, **said._asdict()}.items():
        rollout[name] = array.ctypes.data
    for name, number in numbers.items():
        rollout[name] = number
    _function()(kernel.handle, rollout.ctypes.data, cores)
    return said
