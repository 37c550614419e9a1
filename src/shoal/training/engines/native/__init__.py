"""The native engine: dense networks on CPUs by a kernel with a member in each SIMD lane, nothing to compile."""

from shoal.training.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]
