"""One network's training in JAX and optax as a pure function, which can be compiled and vmapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from work import Work, arrays_of


def training(work: Work) -> Callable[[Any, Any], Any]:
    """Return `(key, learning rate) -> last validation loss`; networks that are vmapped share each batch."""
    import jax
    import jax.numpy as jnp
    import optax

    rows = arrays_of(work)
    x, y, validation_x, validation_y = map(jnp.asarray, (rows.x, rows.y, rows.validation_x, rows.validation_y))
    sizes = (x.shape[1], *work.hidden, rows.classes)
    activation = getattr(jax.nn, work.activation)
    batches = len(x) // work.batch_size
    adam = optax.scale_by_adam()

    def start(key: Any) -> Any:
        keys = jax.random.split(key, len(sizes) - 1)
        glorot = jax.nn.initializers.glorot_uniform()
        shapes = zip(keys, sizes[:-1], sizes[1:], strict=True)
        return [(glorot(k, (a, b)), jnp.zeros(b)) for k, a, b in shapes]

    def loss(parameters: Any, features: Any, classes: Any) -> Any:
        for kernel, bias in parameters[:-1]:
            features = activation(features @ kernel + bias)
        logits = features @ parameters[-1][0] + parameters[-1][1]
        return optax.softmax_cross_entropy_with_integer_labels(logits, classes).mean()

    def one(key: Any, rate: Any) -> Any:
        def step(carry: Any, batch: Any) -> Any:
            parameters, slots = carry
            gradient = jax.grad(loss)(parameters, x[batch], y[batch])
            updates, slots = adam.update(gradient, slots)
            return (jax.tree.map(lambda p, u: p - rate * u, parameters, updates), slots), None

        def epoch(carry: Any, order_key: Any) -> Any:
            order = jax.random.permutation(order_key, len(x))[: batches * work.batch_size]
            carry, _ = jax.lax.scan(step, carry, order.reshape(batches, -1))
            return carry, loss(carry[0], validation_x, validation_y)

        parameters = start(key)
        orders = jax.random.split(jax.random.key(1), work.epochs)  # not of `key`: the order is shared
        _, curve = jax.lax.scan(epoch, (parameters, adam.init(parameters)), orders)
        return curve[-1]

    return one
