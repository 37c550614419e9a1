"""What a policy does in one episode: the state, its actions and the rewards, against time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shoal.codec import stored
from shoal.report.figures.canvas import Figure
from shoal.report.figures.drawable import Drawable
from shoal.report.figures.style import BLUE, GREEN, INK, MUTED, VERMILION, limits, stacked
from shoal.report.words import count

COLOURS = (BLUE, VERMILION, GREEN, INK)
DASHES: tuple[Any, ...] = ("-", (0, (3.5, 1.2)), (0, (1.2, 1.0)), (0, (5, 1, 1, 1)))


@stored("figure.behaviour")
@dataclass(frozen=True)
class Behaviour(Drawable):
    """The numbers of the figure.

    Attributes:
        time: of each step.
        states, actions: `(names, steps)`.
        rewards: `(steps,)`.
        state_names, action_names: with their units.
        time_unit: of `time`.
    """

    time: np.ndarray
    states: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    state_names: tuple[str, ...]
    action_names: tuple[str, ...]
    time_unit: str

    @property
    def alt(self) -> str:
        return f"State, action and reward in {count(len(self.time), 'step')} of the champion from an unseen start."

    @property
    def caption(self) -> str:
        return "The champion from the first unseen start: the state, what it does, and the reward of each step."

    def table(self) -> dict[str, Any]:
        states = dict(zip(self.state_names, self.states, strict=True))
        return {
            "time": self.time,
            **states,
            **dict(zip(self.action_names, self.actions, strict=True)),
            "reward": self.rewards,
        }


def draw(shown: Behaviour) -> Figure:
    """Draw a panel for the state, one for the actions and one for the rewards."""
    figure, panels = stacked(3, 1.5)
    parts = (
        ("state", shown.states, shown.state_names),
        ("action", shown.actions, shown.action_names),
        ("reward", shown.rewards[None], ("",)),
    )
    for axes, (label, lines, names) in zip(panels, parts, strict=True):
        for i, (line, name) in enumerate(zip(lines, names, strict=True)):
            colour, dashes = (COLOURS[i % 4], DASHES[i % 4]) if len(lines) > 1 else (COLOURS[0], "-")
            axes.plot(shown.time, line, color=colour, ls=dashes, lw=1.0, label=name, drawstyle=step(label))
        axes.set_ylim(*limits(np.asarray(lines, float), log=False))
        axes.set_xlim(0, max(float(shown.time[-1]), 1e-9))
        axes.axhline(0, color=MUTED, lw=0.5, zorder=0)
        axes.set(xlabel=f"time in {shown.time_unit}", ylabel=label)
        if len(lines) > 1:
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.1, fontsize=6)
    return figure


def step(label: str) -> Any:
    """Return how a line is drawn: actions hold until the next."""
    return "steps-post" if label == "action" else "default"
