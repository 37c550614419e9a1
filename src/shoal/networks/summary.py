"""The table of a network's layers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from shoal.errors import counted
from shoal.networks.activations import activation_label, is_linear
from shoal.networks.layers import Layer
from shoal.notebook.html import figure_html, paragraph, table

if TYPE_CHECKING:
    from shoal.networks.network import Network, OrderedParameters

_HEAD = ("Layer (type)", "Activation", "Output shape", "Parameters")


def summarize(network: Network) -> str:
    """Return a table: name and type, activation, output shape and parameters of each layer, and the total.

    Example:
        >>> from shoal.networks.network import Network
        >>> print(summarize(Network.parse("4 8:relu 3:softmax")))
        Layer (type)     Activation  Output shape  Parameters
        ─────────────────────────────────────────────────────
        input                        (rows, 4)
        dense (Dense)    relu        (rows, 8)             40
        dense_1 (Dense)  softmax     (rows, 3)             27
        ─────────────────────────────────────────────────────
        67 parameters
    """
    rows = _rows(network)
    widths = [max(len(row[i]) for row in [_HEAD, *rows]) for i in range(4)]
    rule = "─" * (sum(widths) + 6)
    foot = counted(network.parameter_count, "parameter")
    return "\n".join([_line(_HEAD, widths), rule, *(_line(row, widths) for row in rows), rule, foot])


def summary_html(network: Network, parameters: OrderedParameters | None = None) -> str:
    """Return the drawing of a network, with its parameters if they are given, and the table of its layers."""
    total = paragraph(counted(network.parameter_count, "parameter"))
    return figure_html(network.draw(parameters)) + table(_HEAD, _rows(network)) + total


def _rows(network: Network) -> list[tuple[str, str, str, str]]:
    rows = [("input", "", _shape(network.input_shape), "")]
    for name, layer, shape, parameters in zip(
        network.names, network.layers, network.shapes, network.parameter_shapes, strict=True
    ):
        count = sum(math.prod(s) for s in parameters.values())
        rows.append((f"{name} ({type(layer).__name__})", layer_note(layer), _shape(shape), f"{count:,}"))
    return rows


def layer_note(layer: Layer) -> str:
    """Return what a table or drawing says of a layer beside its type: sizes, the activation or the dropout rate."""
    rate = getattr(layer, "rate", None)
    if rate is not None:
        return f"rate {rate:g}"
    activation = layer.final_activation
    parts = [getattr(layer, "note", ""), "" if is_linear(activation) else activation_label(activation)]
    return " ".join(part for part in parts if part)


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(['rows', *map(str, shape)])})"


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)]
    return "  ".join([*cells, row[-1].rjust(widths[-1])]).rstrip()
