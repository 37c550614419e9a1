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

# Seconds of a core: what every run takes, what each row takes (baselines, intervals by resampling, figures), and how
# often each kept network is asked about each row, as measured on 150 and 100,000 rows and on 1,797 images.
BASE, OF_A_ROW, PASSES = 2.5, 6e-5, 4.0
ROWS_ASKED = 256
CPU_SECONDS = 0.05  # of a core, that measuring takes at least


@dataclass(frozen=True)
class Speed:
    """How fast this machine is now: seconds of a core that a network needs for a row, and how much longer it lasts.

    `load` is one where the process has its cores for itself.
    """

    of_a_row: float
    load: float

    @classmethod
    def measured(cls, problem: Problem, member: Member) -> Speed:
        """Return the speed with a network of usual size."""
        network = member_network(problem, member)
        parameters = initial_parameters(network, problem.seed, member.id)
        return cls(*_measured(network, parameters, np.asarray(problem.validation_x[:ROWS_ASKED])))

    def finishing_seconds(self, rows: int, kept: int) -> float:
        """Return about how long evaluation and page take, with so many rows in all and networks that answer."""
        return self.load * (BASE + rows * (OF_A_ROW + PASSES * kept * self.of_a_row))


def _measured(network: Network, parameters: list[dict[str, np.ndarray]], x: np.ndarray) -> tuple[float, float]:
    """Return the processor's seconds for a row, and how many times longer it lasts."""
    predict(network, parameters, x)
    began, used, asked = time.perf_counter(), time.thread_time(), 0
    while time.thread_time() - used < CPU_SECONDS:
        predict(network, parameters, x)
        asked += len(x)
    used, lasted = time.thread_time() - used, time.perf_counter() - began
    return used / asked, max(1.0, lasted / used)
