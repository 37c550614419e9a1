"""Networks with their weights from Keras models, and in files that Keras loads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from shoal.errors import NetworkError, SettingError
from shoal.keras.archive import EXTENSION
from shoal.keras.reading import read_keras
from shoal.keras.writing import keras_bytes
from shoal.networks.network import Network, NetworkParameters
from shoal.runs.writing import write_atomically

UNTRAINED: dict[str, Any] = {"loss": None, "metrics": [], "penalties": [], "more": {}}
"""Arguments of a network that was not trained here."""


def write_keras(network: Network, parameters: NetworkParameters, path: str | Path) -> Path:
    """Write a network with its weights as a `.keras` file, whole or not at all.

    Raises:
        SettingError: the path ends otherwise.
        NetworkError: a layer that Keras cannot say, or weights of other shapes.
        RunError: the file cannot be written.
        DataError: h5py is missing.
    """
    path = Path(path)
    if path.suffix != EXTENSION:
        raise SettingError(
            f"files of Keras models end in {EXTENSION}, got {path.name!r}. Write {path.stem + EXTENSION!r}"
        )
    return write_atomically(path, keras_bytes(network, parameters))


def keras_parts(model: Any, input_shape: Sequence[int] | int | None) -> tuple[Network, list[dict[str, Any]]]:
    """Return the network and the weights of a Keras model.

    Raises:
        NetworkError: a layer or a graph that shoal cannot say, or a damaged file.
        DataError: h5py is missing.
    """
    try:
        return read_keras(model, input_shape, weights=True)
    except RecursionError:
        raise NetworkError("the model is nested too deeply to be one") from None
