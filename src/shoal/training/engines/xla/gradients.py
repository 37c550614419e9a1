"""How a trained network's output changes with its input: gradients for looking inside, not for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from shoal.networks import Network
from shoal.training.engines.xla.devices import compile_lowered
from shoal.training.engines.xla.lifts import FIRST

QUICKLY = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
"""It runs once, for a few rows: half the time to compile counts for more than a fast program."""


def input_gradients(
    network: Network, parameters: Sequence[Mapping[str, Any]], x: np.ndarray, output: np.ndarray
) -> np.ndarray:
    """Return the gradient of one output with respect to the input, for each row.

    The output is taken before the last activation, as in Simonyan et al. (2014): behind a softmax, a class also
    gains when others lose.

    Args:
        network: the network.
        parameters: one dict of arrays per layer.
        x: `(rows, *input_shape)`, of any number type.
        output: `(rows,)`, the number of the output that is asked about in each row.

    Returns:
        `(rows, *input_shape)` float32.

    Example:
        >>> network = Network.parse("2 1")
        >>> parameters = [{"kernel": np.array([[3.0], [-1.0]], np.float32), "bias": np.zeros(1, np.float32)}]
        >>> input_gradients(network, parameters, np.ones((1, 2), np.float32), np.zeros(1, int)).tolist()
        [[3.0, -1.0]]
    """
    layers = [{name: jnp.asarray(value, jnp.float32) for name, value in layer.items()} for layer in parameters]
    rows, chosen = jnp.asarray(np.asarray(x, np.float32)), jnp.asarray(np.asarray(output, np.int32))
    return np.asarray(_compiled(network, len(rows))(layers, rows, chosen))


@lru_cache(maxsize=64)
def _compiled(network: Network, rows: int) -> Any:
    """Return the compiled function of parameters, rows and outputs; members of one structure share it."""

    def gradients(parameters: Any, x: Any, output: Any) -> Any:
        def chosen(x: Any) -> Any:
            scores = network.apply(parameters, x, xp=FIRST.xp, logits=True)
            flat = jnp.reshape(scores, (rows, -1))
            return jnp.sum(jnp.take_along_axis(flat, output[:, None], axis=1))  # rows do not meet

        return jax.grad(chosen)(x)

    def like(*shape: int, dtype: Any = jnp.float32) -> Any:
        return jax.ShapeDtypeStruct(shape, dtype)

    layers = [{name: like(*shape) for name, shape in shapes.items()} for shapes in network.parameter_shapes]
    arguments = layers, like(rows, *network.input_shape), like(rows, dtype=jnp.int32)
    return compile_lowered(jax.jit(gradients).lower(*arguments), QUICKLY)[0]
