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
LOOKS, SORTED = 5, 200_000  # at the load, the least of which counts, since our own helpers soon end; numbers in each


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
        of_a_row = _seconds_of_a_row(network, parameters, np.asarray(problem.validation_x[:ROWS_ASKED]))
        return cls(of_a_row, min(_load() for _ in range(LOOKS)), passes)

    def finishing_seconds(self, rows: int, kept: int) -> float:
        """Return about how long evaluation and page take, with so many rows in all and networks that answer."""
        return self.load * (BASE + rows * (OF_A_ROW + self.passes * kept * self.of_a_row))


def _seconds_of_a_row(network: Network, parameters: list[dict[str, np.ndarray]], x: np.ndarray) -> float:
    """Return the processor's seconds for a row."""
    predict(network, parameters, x)
    used, asked = time.thread_time(), 0
    while time.thread_time() - used < CPU_SECONDS:
        predict(network, parameters, x)
        asked += len(x)
    return (time.thread_time() - used) / asked


def _load() -> float:
    """Return how many times longer than the processor's time something lasts that waits for no other thread of ours.

    Sorting lets Python go on, so that a thread that imports does not look like the work of others.
    """
    numbers = np.random.default_rng(0).random(SORTED)
    began, used = time.perf_counter(), time.thread_time()
    numbers.sort()
    return max(1.0, (time.perf_counter() - began) / max(time.thread_time() - used, 1e-6))
