"""How long evaluation and page will take, so that a run with `--minutes` ends when it should."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from shoal.networks import Network
from shoal.training.forward import predict
from shoal.training.member import Member, initial_parameters
from shoal.training.packing import member_network
from shoal.training.problem import Problem

# Seconds of a core: what every run takes, what each row takes (intervals by resampling, region, figures), and how often
# each kept network is asked about each row of a table, by two cores, or each image or series, as measured on 1,000 to
# 1,000,000 rows and on 1,797 images.
BASE, OF_A_ROW, PASSES, PASSES_OF_SIGNALS = 2.0, 4e-6, 0.6, 4.0
ROWS_ASKED = 256
CPU_SECONDS = 0.05  # of a core, that measuring takes at least


@dataclass(frozen=True)
class Speed:
    """How fast this machine is now: seconds of a core that a network needs for a row, and how much longer it lasts.

    `load` is one where the process has its cores for itself; `passes` is how often a kept network is asked about a row.
    """

    of_a_row: float
    load: float
    passes: float = PASSES

    @classmethod
    def measured(cls, problem: Problem, member: Member) -> Speed:
        """Return the speed with a network of usual size."""
        network = member_network(problem, member)
        parameters = initial_parameters(network, problem.seed, member.id)
        passes = PASSES if len(problem.input_shape) == 1 else PASSES_OF_SIGNALS
        return cls(*_measured(network, parameters, np.asarray(problem.validation_x[:ROWS_ASKED])), passes)

    def finishing_seconds(self, rows: int, kept: int) -> float:
        """Return about how long evaluation and page take, with so many rows in all and networks that answer."""
        return self.load * (BASE + rows * (OF_A_ROW + self.passes * kept * self.of_a_row))


def _measured(network: Network, parameters: list[dict[str, np.ndarray]], x: np.ndarray) -> tuple[float, float]:
    """Return the processor's seconds for a row, and how many times longer it lasts."""
    predict(network, parameters, x)
    began, used, asked = time.perf_counter(), time.thread_time(), 0
    while time.thread_time() - used < CPU_SECONDS:
        predict(network, parameters, x)
        asked += len(x)
    used, lasted = time.thread_time() - used, time.perf_counter() - began
    return used / asked, max(1.0, lasted / used)
