"""The process that looks after a worker of Dask on this machine, and ends with the driver."""

from __future__ import annotations

from typing import Any

from distributed import Nanny

from shoal.cluster.ending import end_with


class EndingNanny(Nanny):
    """A nanny that ends, and its worker with it, when the driver is gone.

    Args:
        driver: the number of its process.
        args, more: of `Nanny`.
    """

    def __init__(self, *args: Any, driver: int, **more: Any) -> None:
        end_with(driver)
        super().__init__(*args, **more)
