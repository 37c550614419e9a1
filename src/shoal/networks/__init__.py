"""What a network is: layers, activations, start values, counting and drawing. No training happens here."""

from __future__ import annotations

from shoal.networks.activations import ACTIVATIONS as ACTIVATIONS
from shoal.networks.activations import apply_table as apply_table
from shoal.networks.activations import get_activation as get_activation
from shoal.networks.initializers import INITIALIZERS as INITIALIZERS
from shoal.networks.initializers import get_initializer as get_initializer
from shoal.networks.layers import LAYERS as LAYERS
from shoal.networks.layers import Activation as Activation
from shoal.networks.layers import Context as Context
from shoal.networks.layers import Dense as Dense
from shoal.networks.layers import Dropout as Dropout
from shoal.networks.layers import Flatten as Flatten
from shoal.networks.layers import Layer as Layer
from shoal.networks.namespace import Namespace as Namespace
from shoal.networks.namespace import numpy_namespace as numpy_namespace
from shoal.networks.network import Network as Network
