"""KerasTuner's `RandomSearch` over the same space, with Keras on TensorFlow or JAX."""

from __future__ import annotations

import os
import tempfile
from typing import Any

from candidates import ACTIVATIONS, DEPTHS, DROPOUTS, RATES, STRENGTHS, WIDTHS
from work import Arrays, split_set

from peers.searches import within

NEEDS = ("keras", "keras_tuner")


def build(hyper: Any, rows: Arrays) -> Any:
    """Return the compiled network of a trial."""
    import keras

    activation, dropout = hyper.Choice("activation", ACTIVATIONS), hyper.Choice("dropout", DROPOUTS)
    decay = keras.regularizers.L2(hyper.Choice("l2", STRENGTHS) / len(rows.x))
    model = keras.Sequential([keras.Input((rows.x.shape[1],))])
    for layer in range(hyper.Int("depth", *DEPTHS)):
        units = hyper.Int(f"units_{layer}", *WIDTHS, sampling="log")
        model.add(keras.layers.Dense(units, activation=activation, kernel_regularizer=decay))
        model.add(keras.layers.Dropout(dropout))
    model.add(keras.layers.Dense(rows.classes, activation="softmax", kernel_regularizer=decay))
    adam = keras.optimizers.Adam(hyper.Float("learning_rate", *RATES, sampling="log"))
    model.compile(optimizer=adam, loss="sparse_categorical_crossentropy")
    return model


def search(data: str, count: int, epochs: int, limit: float, backend: str) -> dict[str, float]:
    """Search until the time limit, one trial after the other, as KerasTuner does."""
    os.environ["KERAS_BACKEND"] = backend
    import keras_tuner

    rows = split_set(data)
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(
            lambda hyper: build(hyper, rows), "val_loss", max_trials=1, seed=0, directory=folder, overwrite=True
        )

        def try_some(_: int, number: int) -> float:
            tuner.oracle.max_trials = len(tuner.oracle.trials) + number
            validation = (rows.validation_x, rows.validation_y)
            tuner.search(rows.x, rows.y, batch_size=32, epochs=epochs, validation_data=validation, verbose=0)
            return float(tuner.oracle.get_best_trials(1)[0].score)

        return within(limit, count, 1, try_some)
