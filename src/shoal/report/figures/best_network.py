"""The drawing of the best network, weights and all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shoal.evaluation.record import Record
from shoal.report.figures.style import name_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LETTERS = 32


@dataclass(frozen=True)
class BestNetwork:
    """What the figure draws: the best kept network, and the names of what goes in and comes out."""

    network: Any
    parameters: list[dict[str, Any]]
    feature_names: tuple[str, ...] | None
    class_names: tuple[str, ...]
    id: int | None
    one_of_several: bool = False

    @property
    def alt(self) -> str:
        """What the figure shows, in a sentence."""
        return "Drawing of the best network: its layers as columns of nodes, its weights as lines between them."

    @property
    def caption(self) -> str:
        """How to read the figure."""
        which = "The best network" if self.id is None else f"The best of the networks kept, number {self.id}"
        if self.one_of_several:
            which = f"One of the networks of the best candidate, number {self.id}"
        return f"{which}. Lines are weights: colour tells their sign, width their size."


def numbers(record: Record) -> BestNetwork | None:
    """Return what the figure draws, or None if no network was kept."""
    if record.best_network is None:
        return None
    outputs = record.data.classes or record.outputs or record.data.targets
    if record.data.classes and record.best_network.output_shape[-1] == 1:
        outputs = outputs[-1:]  # of two classes, one sigmoid gives the probability of the second
    best = record.kept[0].id if record.kept else None
    shape: tuple[int, ...] = getattr(record.best_network, "input_shape", (1,))
    inputs = record.data.feature_names if len(shape) == 1 else None  # pixels and steps have no names
    if record.reconstruction is not None:
        outputs = inputs or ()
    several = record.networks_each > 1
    return BestNetwork(record.best_network, record.best_parameters, inputs, outputs, best, several)


def draw(shown: BestNetwork) -> Figure:
    """Let the network draw itself."""
    return shown.network.draw(
        parameters=shown.parameters,
        feature_names=None if shown.feature_names is None else _short(shown.feature_names),
        class_names=_short(shown.class_names) or None,
    )


def _short(names: tuple[str, ...]) -> list[str]:
    return [name_text(name, MOST_LETTERS) for name in names]
