"""The native engine: networks on CPUs by a kernel with members or channels in the SIMD lanes, nothing to compile.

Who predicts by the kernel need not wait for what trains.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shoal.training.engines.native.engine import NativeEngine

__all__ = ["NativeEngine"]


def __getattr__(name: str) -> Any:
    if name != "NativeEngine":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from shoal.training.engines.native.engine import NativeEngine

    return NativeEngine
