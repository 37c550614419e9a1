"""What a fit would do with the settings that are chosen: which networks, from which space, in what time."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

from shoal.errors import ShoalWarning
from shoal.search.space import Space
from shoal.steps.planning import Plan, plan_search
from shoal.steps.posing import Posed
from shoal.steps.proposing import pose_search, with_base
from shoal.steps.reading import read, split_of
from shoal.training.problem import Problem
from shoal.workbench.recent import Recent
from shoal.workbench.state import State
from shoal.workbench.tables import LOOKS

_MOST_KEPT = 16


@dataclass(frozen=True, eq=False)
class Prospect:
    """What a fit would do.

    Attributes:
        plan: candidates, memory and time.
        space: from which candidates are drawn.
    """

    plan: Plan
    space: Space


class Prospects:
    """The prospects that were asked for last."""

    def __init__(self) -> None:
        self._recent = Recent[Prospect](_MOST_KEPT)

    def of(self, state: State, folder: Path) -> Prospect:
        """Return what a fit of a state would do; takes about a second.

        Raises:
            DataError: the data cannot be used as they are.
            SettingError: a setting makes no sense.
            NetworkError: the network does not fit the data.
        """
        return self._recent.get((str(folder), state.link()), lambda: _prospect(posed_of(state, folder)))


PROSPECTS = Prospects()


def _prospect(posed: Posed) -> Prospect:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShoalWarning)
        search = pose_search(posed)
        return Prospect(plan_search(posed, search), search.space)


def posed_of(state: State, folder: Path) -> Posed:
    """Return the problem that a state poses."""
    settings = with_base(state.checked(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ShoalWarning)
        if settings.test is not None:
            return Posed.of(*read(state.source(folder), settings), settings)
        dataset = LOOKS.look(state, folder).dataset
        return Posed.of(dataset, split_of(dataset, settings), settings)


def network_for(state: State, folder: Path) -> str:
    """Return the text of a small network that fits the data, to begin with.

    Raises:
        ShoalError: the data cannot be used as they are.
    """
    return start_text(posed_of(state.changed(network=None), folder).problem)


def start_text(problem: Problem) -> str:
    """Return the text of a small network for a problem: a few hidden neurons between its inputs and outputs."""
    shape = problem.input_shape
    inputs, last = "x".join(map(str, shape)), f"{problem.outputs}:{problem.output_activation}"
    if problem.per_step:
        return f"{inputs} lstm:16:true {last}" if len(shape) == 2 else f"{inputs} 16:relu {last}"
    if len(shape) == 3:
        return f"{inputs} conv2d:8:3:relu maxpooling2d:2 flatten 16:relu {last}"
    if len(shape) == 2:
        return f"{inputs} conv1d:8:5:relu globalaveragepooling1d 16:relu {last}"
    return f"{inputs} 16:relu {last}"
