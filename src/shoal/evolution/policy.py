"""A policy: a network that was learnt, which says what to do from what is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from shoal.errors import DataError, RunError, ShoalError
from shoal.evolution.populations import outputs, parameters_of, vector_of
from shoal.networks import Dense, Network
from shoal.networks.named_arrays import named_arrays, named_parameters
from shoal.networks.summary import summary_html
from shoal.runs.model_file import load_parts, save_model
from shoal.short_repr import ShortRepr

if TYPE_CHECKING:
    from shoal.report.figures.canvas import Figure

KIND = "policy"
MENDING = "Restore it from a copy, or run `shoal evolve` again."


@dataclass(frozen=True, eq=False, repr=False)
class Policy(ShortRepr):
    """A network with its weights, and the names of what it sees and does.

    Attributes:
        network: the layers.
        parameters: one dict of arrays for each layer.
        observations, actions: names of inputs and outputs.
        environment: in which it learnt.
    """

    network: Network
    parameters: list[dict[str, np.ndarray]]
    observations: tuple[str, ...]
    actions: tuple[str, ...]
    environment: str

    @property
    def vector(self) -> np.ndarray:
        """All parameters one behind the other, float64."""
        return vector_of(self.network, self.parameters)

    def __call__(self, observed: Any) -> np.ndarray:
        """Return the outputs for observations `(rows, observations)`, as they are: environments draw them in.

        Raises:
            DataError: observations of another number.
        """
        rows = np.atleast_2d(np.asarray(observed, np.float32))
        if rows.shape[1:] != self.network.input_shape:
            raise DataError(
                f"the policy takes rows of {len(self.observations)} observations ({', '.join(self.observations)}), got "
                f"an array of shape {np.shape(observed)}"
            )
        return np.asarray(self.network.predict(self.parameters, rows))

    def draw(self, path: str | Path | None = None, **options: Any) -> Figure:
        """Return a figure of the network, its weights as colour and width; see `Network.draw`."""
        return self.network.draw(self.parameters, path, **options)

    def save(self, path: str | Path) -> Path:
        """Save the policy in a folder: `model.json` and `weights.safetensors`.

        Raises:
            RunError: the folder cannot be written.
        """
        return save_model(path, self)

    @classmethod
    def load(cls, path: str | Path) -> Policy:
        """Return what `save` wrote in a folder; no code of the files is run.

        Raises:
            RunError: a file is missing, damaged, of a newer format, or no policy.
        """
        document, arrays = load_parts(path, MENDING)
        if document.get("kind") != KIND:
            raise RunError(f"{str(path)!r} holds no policy of `shoal evolve`")
        try:
            return cls.from_parts(document, arrays)
        except (KeyError, TypeError, ValueError, ShoalError) as error:
            raise RunError(f"{str(path)!r} is damaged ({type(error).__name__}: {error}). {MENDING}") from None

    def to_parts(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return plain data and named arrays."""
        names = {"observations": list(self.observations), "actions": list(self.actions)}
        document = {"kind": KIND, "network": self.network.to_dict(), **names, "environment": self.environment}
        return document, named_arrays("weights", self.parameters)

    @classmethod
    def from_parts(cls, document: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Policy:
        """Return what `to_parts` made plain."""
        network = Network.from_dict(document["network"])
        parameters = named_parameters("weights", network, arrays)
        names = tuple(document["observations"]), tuple(document["actions"])
        return cls(network, parameters, *names, str(document["environment"]))

    def _repr_html_(self) -> str:
        return summary_html(self.network, self.parameters)


@dataclass(frozen=True)
class Policies:
    """The policies of a whole population, which a fitness function calls with the observations of all at once.

    Attributes:
        network: the shape of all.
        parameters: `(members, parameters)` float32.

    Example:
        >>> both = Policies(Network.parse("3 1"), np.zeros((2, 4), np.float32))
        >>> len(both), both(np.ones((2, 3))).shape
        (2, (2, 1))
    """

    network: Network
    parameters: np.ndarray

    def __len__(self) -> int:
        return len(self.parameters)

    def __call__(self, observed: Any) -> np.ndarray:
        """Return what each member does, `(members, actions)`, or `(members, rows, actions)` for several rows each.

        Args:
            observed: `(members, observations)`, or `(members, rows, observations)`.

        Raises:
            DataError: an array of another shape.
        """
        rows = np.asarray(observed, np.float32)
        (inputs,) = self.network.input_shape
        if rows.ndim not in (2, 3) or len(rows) != len(self) or rows.shape[-1] != inputs:
            raise DataError(
                f"the policies of {len(self)} members take observations of shape ({len(self)}, {inputs}), or "
                f"({len(self)}, rows, {inputs}), got {rows.shape}"
            )
        if rows.ndim == 2:
            return outputs(self.network, self.parameters, rows[:, None])[:, 0]
        return outputs(self.network, self.parameters, rows)


def averaged(network: Network, vectors: Sequence[np.ndarray]) -> tuple[Network, np.ndarray] | None:
    """Return one network that says the mean of several of one shape, with its vector; None of layers that are not
    dense.

    Their layers stand side by side, without connections between, and a last linear layer averages.

    Example:
        >>> network = Network.parse("3 4:tanh 1:tanh")
        >>> pair = averaged(network, [vector_of(network, network.initialize(seed)) for seed in (0, 1)])
        >>> [layer.units for layer in pair[0].layers]
        [8, 2, 1]
    """
    if not all(isinstance(layer, Dense) and not isinstance(layer.activation, tuple) for layer in network.layers):
        return None
    if any(getattr(layer, "activation", None) in ("softmax", "glu", "log_softmax") for layer in network.layers):
        return None
    members, count = [parameters_of(network, vector) for vector in vectors], len(vectors)
    layers, parameters = [], []
    for i, layer in enumerate(network.layers):
        assert isinstance(layer, Dense)
        kernels = [member[i]["kernel"] for member in members]
        joined = np.concatenate(kernels, axis=1) if i == 0 else _block_diagonal(kernels)
        own = {"kernel": joined}
        if layer.use_bias:
            own["bias"] = np.concatenate([member[i]["bias"] for member in members])
        layers.append(Dense(layer.units * count, activation=layer.activation, use_bias=layer.use_bias))
        parameters.append(own)
    units = network.output_shape[-1]
    layers.append(Dense(units, use_bias=False))
    parameters.append({"kernel": np.tile(np.eye(units, dtype=np.float32) / count, (count, 1)).astype(np.float32)})
    together = Network(layers, network.input_shape)
    return together, vector_of(together, parameters)


def _block_diagonal(kernels: Sequence[np.ndarray]) -> np.ndarray:
    rows, columns = kernels[0].shape
    block = np.zeros((rows * len(kernels), columns * len(kernels)), np.float32)
    for i, kernel in enumerate(kernels):
        block[i * rows : (i + 1) * rows, i * columns : (i + 1) * columns] = kernel
    return block
