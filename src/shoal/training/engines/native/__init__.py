"""The native engine: networks on CPUs by a kernel with members or channels in the SIMD lanes, nothing to compile.

Who predicts by the kernel need not wait for what trains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shoal.late import late_names

if TYPE_CHECKING:
    from shoal.training.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]
__getattr__ = late_names(__name__, {"NativeEngine": "engine"})
