"""How a trained network's output changes with its input: gradients for looking inside, not for training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from shoal.networks import Network
from shoal.training.engines.xla.lifts import FIRST


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
    own = [{name: jnp.asarray(value) for name, value in layer.items()} for layer in parameters]
    rows = jnp.asarray(np.asarray(x, np.float32))
    return np.asarray(_gradients(network, own, rows, jnp.asarray(np.asarray(output, np.int32))))


@partial(jax.jit, static_argnums=0)
def _gradients(network: Network, parameters: Any, x: Any, output: Any) -> Any:
    def chosen(rows: Any) -> Any:
        scores = network.apply(FIRST.xp, parameters, rows, logits=True)
        flat = jnp.reshape(scores, (len(scores), -1))
        return jnp.sum(jnp.take_along_axis(flat, output[:, None], axis=1))  # rows do not meet: each finds its own

    return jax.grad(chosen)(x)
