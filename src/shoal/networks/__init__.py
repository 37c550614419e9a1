"""What a network is: layers, activations, start values, counting and drawing. No training happens here."""

from __future__ import annotations

from shoal.networks.activations import ACTIVATIONS as ACTIVATIONS
from shoal.networks.activations import apply_table as apply_table
from shoal.networks.activations import get_activation as get_activation
from shoal.networks.initializers import INITIALIZERS as INITIALIZERS
from shoal.networks.initializers import Shape as Shape
from shoal.networks.initializers import get_initializer as get_initializer
from shoal.networks.layers import *  # noqa: F403 - its `__all__`: every layer, LAYERS, Context, Layer and Parameters
from shoal.networks.namespace import Namespace as Namespace
from shoal.networks.namespace import numpy_namespace as numpy_namespace
from shoal.networks.network import Network as Network
