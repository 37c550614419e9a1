"""The choice of an engine: what trains these members sooner, by small measured models of the cost of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from importlib.util import find_spec

from shoal.errors import SettingError
from shoal.training.cost import member_step
from shoal.training.engines.base import Engine
from shoal.training.engines.native.cost import native_seconds
from shoal.training.engines.native.library import best_kernel
from shoal.training.engines.native.suits import unsuited
from shoal.training.grouping import group_members
from shoal.training.member import Member
from shoal.training.planner import Budget
from shoal.training.problem import Problem

# Beside the native kernel on the same cores: loading and starting jax, compiling a program, and how many times longer
# than the model of grouping, which needs ratios only, training takes.
START_SECONDS, COMPILE_SECONDS, SLOWER = 1.5, 3.0, 1.3
WORTH_A_LOOK = 10.0  # seconds of training from which on it pays to see whether there is a GPU


@dataclass(frozen=True)
class EngineChoice:
    """An engine, and why it was chosen, as a sentence."""

    name: str
    reason: str
    make: Callable[[], Engine]

    @property
    def stage(self) -> str:
        """What a user is told that the engine begins with."""
        if self.name == "native":
            return "training"
        return f"compiling ({self.reason})" if best_kernel() is None else "compiling"


def choose_engine(problem: Problem, members: Sequence[Member], wanted: str, budget: Budget) -> EngineChoice:
    """Return the engine that is wanted, or with `auto` the one that is estimated to be done first.

    Raises:
        SettingError: the native engine is wanted and cannot train these members.
    """
    native, xla = partial(make_engine, "native", budget), partial(make_engine, "xla", budget)
    why_not = unsuited(problem, members)
    if wanted == "native" and why_not is not None:
        raise SettingError(f"engine native cannot train these networks: {why_not}; leave out engine, or use xla")
    if wanted != "auto":
        return EngineChoice(wanted, "as the settings say", native if wanted == "native" else xla)
    if why_not is not None:
        return EngineChoice("xla", f"the native engine cannot train these networks: {why_not}", xla)
    here, there = native_seconds(problem, members, budget.cores), xla_seconds(problem, members, budget.cores)
    estimates = f"estimated {here:.2g} s, and {there:.2g} s by the XLA engine with compiling"
    if here > WORTH_A_LOOK and _has_gpu():
        return EngineChoice("xla", "there is a GPU, and much to train", xla)
    if here <= there:
        return EngineChoice("native", estimates, native)
    return EngineChoice("xla", f"estimated {there:.2g} s with compiling, and {here:.2g} s by the native engine", xla)


def make_engine(name: str, budget: Budget) -> Engine:
    """Return the engine of this name, `native` or `xla`.

    Raises:
        SettingError: the native kernel was not built here.
    """
    if name == "native":
        from shoal.training.engines.native import NativeEngine

        return NativeEngine(budget=budget)
    from shoal.training.engines.xla import XlaEngine

    return XlaEngine(budget=budget)


def estimated_seconds(problem: Problem, members: Sequence[Member], cores: int) -> float:
    """Return about how long the sooner of the engines takes on a CPU, if every member trains all of its epochs."""
    there = xla_seconds(problem, members, cores)
    return there if unsuited(problem, members) else min(there, native_seconds(problem, members, cores))


def xla_seconds(problem: Problem, members: Sequence[Member], cores: int) -> float:
    """Return about how long the XLA engine takes on a CPU, with nothing cached."""
    seconds = START_SECONDS
    for group in group_members(problem, members):
        epochs = sum(member.hyperparameters.epochs for member in group.members)
        busy = min(cores, len(group.members))
        steps = problem.steps(group.structure.batch_size)
        seconds += COMPILE_SECONDS + SLOWER * 1e-6 * member_step(group.structure) * steps * epochs / busy
    return seconds


def _has_gpu() -> bool:
    """Return whether jax would find a GPU; without a plugin for one, jax need not be loaded to know."""
    if not any(entry_points(group="jax_plugins")) and find_spec("jax_plugins") is None and find_spec("libtpu") is None:
        return False
    from shoal.training.engines.xla import has_gpu

    return has_gpu()
