"""The layers, by family; `LAYERS` finds each by its class name."""

from __future__ import annotations

from shoal.networks.layers.activation import Activation as Activation
from shoal.networks.layers.base import Context as Context
from shoal.networks.layers.base import Layer as Layer
from shoal.networks.layers.base import Parameters as Parameters
from shoal.networks.layers.dense import Dense as Dense
from shoal.networks.layers.dropout import Dropout as Dropout
from shoal.networks.layers.flatten import Flatten as Flatten

LAYERS: dict[str, type[Layer]] = {c.__name__: c for c in (Dense, Dropout, Activation, Flatten)}
"""Every layer by its class name; the contract tests and saved networks go through it."""
