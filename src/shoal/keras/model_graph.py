"""A Keras model as it is written: layers of Keras with their settings, weights and connections, as a `.keras` file."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.data.readers.packages import check_package
from shoal.keras.archive import CONFIG, WEIGHTS
from shoal.networks.initializers import Shape
from shoal.networks.network import free_name, snake_case

VERSION = "3.0.0"
"""Of Keras, the oldest that loads what is written."""
_DAY = (1980, 1, 1, 0, 0, 0)  # all files of one model are the same, whenever they are written


@dataclass(frozen=True)
class Tensor:
    """What a layer gives: its name and the shape of a row."""

    name: str
    shape: Shape


class KerasGraph:
    """Layers of Keras that grow from inputs to outputs.

    Example:
        >>> graph = KerasGraph()
        >>> x = graph.input((4,))
        >>> graph.add("Dense", {"units": 2}, x, (2,), {"vars": [np.ones((4, 2)), np.zeros(2)]}).name
        'dense'
    """

    def __init__(self) -> None:
        self._layers: list[dict[str, Any]] = []
        self._arrays: dict[str, np.ndarray] = {}
        self._names: set[str] = set()
        self._counts: dict[str, int] = {}

    def input(self, shape: Shape, name: str = "input_layer") -> Tensor:
        """Return the input, of rows of a shape."""
        settings = {"batch_shape": [None, *shape], "dtype": "float32"}
        self._input = self._add("InputLayer", settings, [], shape, {}, name)
        return self._input

    def add(
        self,
        kind: str,
        settings: Mapping[str, Any],
        before: Tensor | Sequence[Tensor],
        shape: Shape,
        arrays: Mapping[str, Sequence[np.ndarray]] | None = None,
        *,
        name: str | None = None,
        trainable: bool = True,
        steps: int = 0,
    ) -> Tensor:
        """Add a layer and return what it gives.

        Args:
            kind: its class in Keras.
            settings: its settings there, as far as they are not the defaults.
            before: what it gets; of merging layers several.
            shape: of what it gives, at each step.
            arrays: its weights, by where they stand in the file of weights, such as `vars` or `cell/vars`.
            name: its name, with a number if it is taken; by default that of its class.
            trainable: whether training changes it.
            steps: how many axes of time it is distributed over.
        """
        inner, frozen = arrays or {}, {"trainable": False} if arrays and not trainable else {}
        settings = {"dtype": "float32", **frozen, **settings}
        for _ in range(steps if isinstance(before, Tensor) else 0):
            entry = {"module": "keras.layers", "class_name": kind, "registered_name": None}
            settings = {"layer": {**entry, "config": {"name": snake_case(kind), **settings}}, **frozen}
            kind, inner = "TimeDistributed", {f"layer/{place}": values for place, values in inner.items()}
        return self._add(kind, settings, before, shape, inner, name)

    def _add(
        self,
        kind: str,
        settings: Mapping[str, Any],
        before: Tensor | Sequence[Tensor],
        shape: Shape,
        arrays: Mapping[str, Sequence[np.ndarray]],
        name: str | None,
    ) -> Tensor:
        base = snake_case(kind)
        name = free_name(name or base, self._names)
        self._names.add(name)
        number = self._counts[base] = self._counts.get(base, -1) + 1
        place = f"layers/{base}_{number}" if number else f"layers/{base}"
        for where, values in arrays.items():
            self._arrays |= {f"{place}/{where}/{i}": np.asarray(v, np.float32) for i, v in enumerate(values)}
        called = _tensor(before) if isinstance(before, Tensor) else [_tensor(each) for each in before]
        self._layers.append(
            {
                "module": "keras.layers",
                "class_name": kind,
                "config": {"name": name, **settings},
                "registered_name": None,
                "name": name,
                "inbound_nodes": [{"args": [called], "kwargs": {}}] if called else [],
            }
        )
        return Tensor(name, shape)

    def to_bytes(self, outputs: Tensor | Mapping[str, Tensor], name: str = "shoal") -> bytes:
        """Return the `.keras` file of the model with one output, or some by their names.

        Raises:
            DataError: h5py is missing.
        """
        ends = _history(outputs) if isinstance(outputs, Tensor) else {key: _history(t) for key, t in outputs.items()}
        config = {
            "name": name,
            "trainable": True,
            "layers": self._layers,
            "input_layers": _history(self._input),
            "output_layers": ends,
        }
        model = {
            "module": "keras.src.models.functional",
            "class_name": "Functional",
            "config": config,
            "registered_name": "Functional",
        }
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive:
            for member, content in (
                ("metadata.json", json.dumps({"keras_version": VERSION}).encode()),
                (CONFIG, json.dumps(model).encode()),
                (WEIGHTS, self._weights()),
            ):
                archive.writestr(zipfile.ZipInfo(member, _DAY), content)
        return file.getvalue()

    def _weights(self) -> bytes:
        check_package("h5py", "science", "The weights of Keras lie in HDF5; such")
        import h5py

        memory = io.BytesIO()
        with h5py.File(memory, "w") as file:
            file.create_group("vars")
            for place, array in self._arrays.items():
                file.create_dataset(place, data=array)
        return memory.getvalue()


def _history(tensor: Tensor) -> list[Any]:
    return [tensor.name, 0, 0]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    config = {"shape": [None, *tensor.shape], "dtype": "float32", "keras_history": _history(tensor)}
    return {"class_name": "__keras_tensor__", "config": config}
