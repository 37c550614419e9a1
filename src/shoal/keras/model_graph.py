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

VERSION = "3.5.0"
"""Of Keras, the oldest that loads what is written."""
LAYERS_OF_KERAS = "keras.layers"
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
        self._layers: dict[str, dict[str, Any]] = {}
        self._before: dict[str, list[str]] = {}
        self._arrays: dict[str, Mapping[str, Sequence[np.ndarray]]] = {}

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
            entry = {"module": LAYERS_OF_KERAS, "class_name": kind, "registered_name": None}
            settings = {"layer": {**entry, "config": {"name": snake_case(kind), **settings}}, **frozen}
            kind, inner = "TimeDistributed", {f"layer/{place}": values for place, values in inner.items()}
        return self._add(kind, settings, before, shape, inner, name)

    def operation(
        self, kind: str, given: Sequence[Tensor | float], shape: Shape, name: str | None = None, **settings: Any
    ) -> Tensor:
        """Add a function of `keras.ops` of tensors and numbers and return what it gives.

        Args:
            kind: the class of the function, such as `Sqrt` or `Where`.
            given: what it is called with.
            shape: of what it gives.
            name: as of `add`.
            settings: of the function, such as an axis.
        """
        name = name or f"shoal_{snake_case(kind)}"  # apart from those that Keras adds for masks
        return self._entered("keras.src.ops.numpy", kind, settings, given, shape, name)

    def _add(
        self,
        kind: str,
        settings: Mapping[str, Any],
        before: Tensor | Sequence[Tensor],
        shape: Shape,
        arrays: Mapping[str, Sequence[np.ndarray]],
        name: str | None,
    ) -> Tensor:
        called = [before] if isinstance(before, Tensor) else [list(before)] if before else []
        added = self._entered(LAYERS_OF_KERAS, kind, settings, called, shape, name)
        self._arrays[added.name] = arrays
        return added

    def _entered(
        self, module: str, kind: str, settings: Mapping[str, Any], called: Sequence[Any], shape: Shape, name: str | None
    ) -> Tensor:
        name = free_name(name or snake_case(kind), set(self._layers))
        self._before[name] = [tensor.name for tensor in _tensors(called)]
        self._layers[name] = {
            "module": module,
            "class_name": kind,
            "config": {"name": name, **settings},
            "registered_name": None if module == LAYERS_OF_KERAS else kind,
            "name": name,
            "inbound_nodes": [{"args": _said(called), "kwargs": {}}] if called else [],
        }
        return Tensor(name, shape)

    def to_bytes(
        self, outputs: Tensor | Mapping[str, Tensor], name: str = "shoal", about: Mapping[str, Any] | None = None
    ) -> bytes:
        """Return the `.keras` file of the model with one output, or some by their names.

        Args:
            outputs: what the model gives.
            name: of the model.
            about: plain data that stand in its metadata, which Keras does not look at.

        Raises:
            DataError: h5py is missing.
        """
        last = [outputs] if isinstance(outputs, Tensor) else [outputs[key] for key in sorted(outputs)]
        order = self._in_keras_order([tensor.name for tensor in last])
        ends = _history(outputs) if isinstance(outputs, Tensor) else {key: _history(t) for key, t in outputs.items()}
        config = {
            "name": name,
            "trainable": True,
            "layers": [self._layers[each] for each in order],
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
                ("metadata.json", json.dumps({"keras_version": VERSION, **(about or {})}).encode()),
                (CONFIG, json.dumps(model).encode()),
                (WEIGHTS, self._weights(order)),
            ):
                archive.writestr(zipfile.ZipInfo(member, _DAY), content)
        return file.getvalue()

    def _in_keras_order(self, ends: Sequence[str]) -> list[str]:
        """Return the layers that lead to the outputs as Keras lists them, by which it numbers their weights.

        The longest way to an output counts first, then the order in which a search from the outputs meets them.
        """
        met: dict[str, int] = {}
        finished: list[str] = []

        def visit(name: str) -> None:
            if name not in met:
                met[name] = len(met)
                for before in self._before[name]:
                    visit(before)
                finished.append(name)

        for name in ends:
            visit(name)
        depth = dict.fromkeys(finished, 0)
        for name in reversed(finished):
            for before in self._before[name]:
                depth[before] = max(depth[before], depth[name] + 1)
        return sorted(finished, key=lambda name: (-depth[name], met[name]))

    def _weights(self, order: Sequence[str]) -> bytes:
        check_package("h5py", "science", "The weights of Keras lie in HDF5; such")
        import h5py

        memory, counts = io.BytesIO(), dict[str, int]()
        with h5py.File(memory, "w") as file:
            file.create_group("vars")
            for name in order:
                if self._layers[name]["module"] != LAYERS_OF_KERAS:
                    continue
                base = snake_case(self._layers[name]["class_name"])
                number = counts[base] = counts.get(base, -1) + 1
                place = f"layers/{base}_{number}" if number else f"layers/{base}"
                file.create_group(f"{place}/vars")
                for where, arrays in self._arrays[name].items():
                    for i, array in enumerate(arrays):
                        file.create_dataset(f"{place}/{where}/{i}", data=np.asarray(array, np.float32))
        return memory.getvalue()


def _tensors(called: Sequence[Any]) -> list[Tensor]:
    """Return the tensors among what a layer is called with."""
    each = [tensor for one in called for tensor in (one if isinstance(one, list) else [one])]
    return [tensor for tensor in each if isinstance(tensor, Tensor)]


def _said(given: Any) -> Any:
    if isinstance(given, Tensor):
        return _tensor(given)
    return [_said(each) for each in given] if isinstance(given, (list, tuple)) else given


def _history(tensor: Tensor) -> list[Any]:
    return [tensor.name, 0, 0]


def _tensor(tensor: Tensor) -> dict[str, Any]:
    config = {"shape": [None, *tensor.shape], "dtype": "float32", "keras_history": _history(tensor)}
    return {"class_name": "__keras_tensor__", "config": config}
