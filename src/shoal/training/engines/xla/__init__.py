"""The XLA engine: a block of members in one compiled program, by jax."""

from __future__ import annotations

from shoal.training.engines.xla.devices import has_gpu as has_gpu
from shoal.training.engines.xla.engine import XlaEngine as XlaEngine
