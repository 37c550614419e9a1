"""The native engine: networks on CPUs by a kernel with members or channels in the SIMD lanes, nothing to compile."""

from shoal.training.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]
