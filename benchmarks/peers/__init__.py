"""Who trains in the benchmarks: one file per peer behind the interface of `base`; nothing is imported until it runs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from peers import keras_search, sklearn_search
from peers.base import Peer
from peers.hyperoptax_random import HYPEROPTAX
from peers.jax_vmap import VMAP as JAX_VMAP
from peers.keras_fit import KERAS
from peers.sklearn_mlp import PROCESSES as SKLEARN_PROCESSES
from peers.sklearn_mlp import SERIAL as SKLEARN
from peers.torch_compile import COMPILED
from peers.torch_loop import CHANNELS_LAST, LOOP
from peers.torch_loop import PROCESSES as TORCH_PROCESSES
from peers.torch_vmap import VMAP as TORCH_VMAP

PEERS: dict[str, Peer] = {
    peer.name: peer
    for peer in (
        *KERAS,
        LOOP,
        *CHANNELS_LAST,
        COMPILED,
        TORCH_PROCESSES,
        TORCH_VMAP,
        SKLEARN,
        SKLEARN_PROCESSES,
        JAX_VMAP,
        HYPEROPTAX,
    )
}


class Search(NamedTuple):
    """A library's own random search, called as `(set, candidates, epochs, time limit)`."""

    label: str
    needs: tuple[str, ...]
    search: Callable[[str, int, int, float], dict[str, float]]


SEARCHES: dict[str, Search] = {
    "sklearn_search": Search(sklearn_search.LABEL, sklearn_search.NEEDS, sklearn_search.search),
    "keras_tuner_tensorflow": Search(
        "KerasTuner RandomSearch on TensorFlow",
        (*keras_search.NEEDS, "tensorflow", "tensorboard"),
        partial(keras_search.search, backend="tensorflow"),
    ),
    "keras_tuner_jax": Search(
        "KerasTuner RandomSearch on JAX",
        (*keras_search.NEEDS, "jax"),
        partial(keras_search.search, backend="jax"),
    ),
}
