"""Keras 3 on each of its backends, as its guides use it: `compile` and `fit` with validation data."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from layers import layers_of
from work import Work, arrays_of

from peers.base import Peer, Timing, time_epochs


def train(work: Work, population: int, backend: str) -> Timing:
    """Train one network."""
    assert population == 1
    os.environ["KERAS_BACKEND"] = backend
    import keras

    keras.utils.set_random_seed(0)
    rows = arrays_of(work)
    layers = [keras.layers.Dense(units, activation=work.activation) for units in work.hidden]
    layers = [*_before(work, keras.layers), *layers]
    inputs, output = keras.Input(rows.x.shape[1:]), keras.layers.Dense(rows.classes, activation="softmax")
    model = keras.Sequential([inputs, *layers, output])
    adam = keras.optimizers.Adam(work.learning_rate)
    model.compile(optimizer=adam, loss="sparse_categorical_crossentropy", metrics=["accuracy"])

    def run(epochs: int) -> float:
        validation = (rows.validation_x, rows.validation_y)
        size = work.batch_size
        history = model.fit(rows.x, rows.y, size, epochs, validation_data=validation, verbose=0)
        return float(history.history["val_loss"][-1])

    return time_epochs(run, work.epochs)


def _before(work: Work, kinds: Any) -> list[Any]:
    """Return the layers before the dense ones."""
    build = {
        "conv2d": lambda filters, size: kinds.Conv2D(filters, size, activation=work.activation),
        "maxpooling2d": kinds.MaxPooling2D,
        "lstm": kinds.LSTM,
    }
    layers = [build[layer.kind](*layer.numbers) for layer in layers_of(work.layers, work.shape)]
    return [*layers, kinds.Flatten()] if work.layers else []


BACKENDS = {"tensorflow": ("TensorFlow", "tensorflow"), "jax": ("JAX", "jax"), "torch": ("PyTorch", "torch")}
KERAS = tuple(
    Peer(f"keras_{backend}", f"Keras on {label}", ("keras", module), partial(train, backend=backend))
    for backend, (label, module) in BACKENDS.items()
)
