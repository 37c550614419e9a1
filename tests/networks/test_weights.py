"""Weights by name, as texts and tables, and written into drawings."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from matplotlib.text import Annotation

from shoal.errors import NetworkError, SettingError
from shoal.networks import (
    GRU,
    LSTM,
    BatchNormalization,
    Bidirectional,
    Conv1D,
    Dense,
    Dropout,
    GlobalAveragePooling1D,
    Network,
    SimpleRNN,
)
from shoal.networks.layout import layout_network
from shoal.networks.unrolled import drawn_steps, rows_of
from shoal.networks.weight_texts import weight_texts
from shoal.networks.weights import summarize_weights, tabulate_weights
from shoal.streams import Stream


@pytest.mark.slow
def test_names_are_those_of_keras() -> None:
    keras = pytest.importorskip("keras")
    keras.utils.clear_session()
    layers = ["Conv1D", "BatchNormalization", "GRU", "Dense", "Dense"]
    settings = [(4, 3), (), (3,), (5,), (2,)]
    theirs = keras.Sequential([keras.Input((9, 2))])
    for name, values in zip(layers, settings, strict=True):
        theirs.add(getattr(keras.layers, name)(*values))
    ours = Network([Conv1D(4, 3), BatchNormalization(), GRU(3), Dense(5), Dense(2)], (9, 2))
    named = ours.named(ours.initialize(Stream(0)))
    names = [f"{layer}/{name}" for layer, arrays in named.items() for name in arrays]
    paths = [weight.path.split("/", 1)[1].replace("gru_cell/", "") for weight in theirs.weights]
    assert sorted(names) == sorted(paths)
    shapes = {path: tuple(weight.shape) for path, weight in zip(paths, theirs.weights, strict=True)}
    assert {
        f"{layer}/{name}": array.shape for layer, arrays in named.items() for name, array in arrays.items()
    } == shapes


def test_small_arrays_are_printed_whole_and_all_go_into_the_table() -> None:
    network = Network.parse("20x2 conv1d:3:4 flatten 2:relu dropout:0.1 1")
    weights = network.named(network.initialize(Stream(3)))
    lines = summarize_weights(weights).splitlines()
    assert lines[0].startswith("conv1d/kernel  (4, 2, 3)  mean ")
    assert lines[1].startswith("conv1d/bias  (3,)  mean 0, std 0")
    assert sum(line.startswith(" ") for line in lines) == 1 + 1 + 2 + 1  # biases, and the small kernel of two rows
    table = tabulate_weights(weights)
    assert list(table) == ["layer", "array", "axis_0", "axis_1", "axis_2", "value"]
    assert len(table["value"]) == network.parameter_count
    row = table["value"].index(float(weights["conv1d"]["kernel"][1, 1, 2]))
    assert [table[name][row] for name in table][:5] == ["conv1d", "kernel", 1, 1, 2]
    with pytest.raises(NetworkError, match="got parameters for 0"):
        network.named([])


def texts_of(text: str, show_weights: str = "symbols") -> Any:
    network = Network.parse(text)
    parameters = network.initialize(Stream(1))
    layout = layout_network(network, parameters, spacious=True)
    return layout, parameters, weight_texts(layout, network, parameters, show_weights)


def test_one_neuron_is_written_as_its_sum() -> None:
    _, _, texts = texts_of("3 1")
    assert texts.formulas == ("$z = w_{1}x_{1} + w_{2}x_{2} + w_{3}x_{3} + b$",)
    assert {text.text for text in texts.weights} == {"$w_{1}$", "$w_{2}$", "$w_{3}$"}
    assert [text.text for text in texts.biases] == ["$+\\,b$"]
    assert [text.text for text in texts.neurons] == ["$x_{1}$", "$x_{2}$", "$x_{3}$", "$z$"]


def test_weights_of_two_neurons_have_the_output_first() -> None:
    layout, _, texts = texts_of("3 2")
    assert texts.formulas == ("$z_{i} = \\sum_j w_{ij}x_{j} + b_{i}$",)
    first = next(text for text in texts.weights if text.text == "$w_{21}$")  # from the first input to the second output
    edge = next(e for e in layout.edges if (e.start.index, e.end.index) == (0, 1))
    share = (first.x - edge.start.x) / (edge.end.x - edge.start.x)
    assert first.y == pytest.approx(edge.start.y + share * (edge.end.y - edge.start.y))


def test_layers_behind_each_other_are_numbered() -> None:
    _, _, texts = texts_of("3 4:sigmoid dropout:0.1 2:softmax")
    assert texts.formulas == (
        "$a_{i} = \\mathrm{sigmoid}(\\sum_j w^{(1)}_{ij}x_{j} + b^{(1)}_{i})$",
        "$\\hat{y}_{i} = \\mathrm{softmax}(\\sum_j w^{(2)}_{ij}a_{j} + b^{(2)}_{i})$",
    )
    assert texts.left_out == 0


def test_values_are_those_of_the_network() -> None:
    layout, parameters, texts = texts_of("4 8:relu 3", "values")
    assert texts.left_out == 0
    strongest, edge = texts.weights[0], max(layout.edges, key=lambda edge: abs(edge.weight or 0.0))
    assert strongest.text == f"{edge.weight:.2g}".replace("-", "−")
    share = (strongest.x - edge.start.x) / (edge.end.x - edge.start.x)
    assert strongest.y == pytest.approx(edge.start.y + share * (edge.end.y - edge.start.y))
    kernels = [value for layer in parameters for value in layer["kernel"].ravel().tolist()]
    assert sorted(text.text for text in texts.weights) == sorted(f"{w:.2g}".replace("-", "−") for w in kernels)
    assert len(texts.biases) == 11
    assert not texts.formulas
    assert not texts.neurons


@pytest.mark.slow
@pytest.mark.parametrize(
    "text", ["3 1", "3 2", "4 8:relu 3:softmax", "10 10 1", "1 2:tanh 2:tanh 2 1", "9x1 simplernn:2 1"]
)
@pytest.mark.parametrize("show_weights", ["values", "symbols"])
def test_texts_have_room(text: str, show_weights: str) -> None:
    network = Network.parse(text)
    figure = network.draw(network.initialize(Stream(0)), show_weights=show_weights)
    figure.canvas.draw()
    boxes = [(t.get_text(), t.get_window_extent()) for t in figure.axes[0].texts if t.get_text()]
    for _, box in boxes:
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= figure.bbox.width + 1
        assert box.y1 <= figure.bbox.height + 1
    for (one, a), (other, b) in itertools.combinations(boxes, 2):
        apart = min(a.x1, b.x1) - max(a.x0, b.x0) < 3 or min(a.y1, b.y1) - max(a.y0, b.y0) < 6
        assert apart, (one, other)


def test_what_has_no_room_is_counted_or_refused() -> None:
    _, _, texts = texts_of("10 10 1", "values")
    assert texts.left_out == 0 or texts.head == (f"{texts.left_out} of 110 weights have no room for their text",)
    network = Network.parse("4 99:relu 1")
    with pytest.raises(NetworkError, match=r"4 × 99 stand before layer 'dense'.*run\.weights"):
        network.draw(show_weights="symbols")
    with pytest.raises(NetworkError, match="needs the weights"):
        network.draw(show_weights="values")
    with pytest.raises(SettingError, match="Did you mean 'values'"):
        network.draw(show_weights="valus")
    with pytest.raises(NetworkError, match="glu, which makes one number of two neurons"):
        Network([Dense(4, "glu")], (3,)).draw(show_weights="symbols")
    with pytest.raises(NetworkError, match="no weights to write"):
        Network.parse("8x8x1 conv2d:2:3").draw(show_weights="symbols")


def test_recurrent_layers_are_drawn_with_a_loop() -> None:
    network = Network([LSTM(3, return_sequences=True), Bidirectional(GRU(2)), Dense(1)], (9, 2))
    assert [column.recurrent for column in layout_network(network).columns] == [False, True, True, False]
    arrows = [
        sum(isinstance(text, Annotation) for text in Network.parse(text).draw().axes[0].texts)
        for text in ("9x2 globalaveragepooling1d 1", "9x2 simplernn:2 1")
    ]
    assert arrows == [1, 2]


def test_a_recurrent_network_is_unrolled() -> None:
    network = Network([LSTM(3, return_sequences=True), Dropout(0.1), Bidirectional(GRU(2)), Dense(1)], (9, 2))
    rows = rows_of(network)
    assert [row.text for row in rows] == ["LSTM 3", "Dropout rate 0.1", "GRU 2", "Dense 1"]
    assert [row.directions for row in rows] == [(1,), (), (1, -1), ()]
    assert [row.at_steps for row in rows] == [True, True, True, False]
    assert drawn_steps(9) == [1, 2, 3, None, 9]
    texts = [text.get_text() for text in network.draw_unrolled().axes[0].texts]
    assert texts.count("LSTM 3") == texts.count("GRU 2") == 4
    assert texts.count("Dense 1") == texts.count(r"$\hat{y}$") == 1
    assert "$x_{9}$" in texts
    each = Network([SimpleRNN(2, return_sequences=True), Dense(1)], (3, 2)).draw_unrolled()
    assert [t.get_text() for t in each.axes[0].texts if "hat" in t.get_text()] == [
        f"$\\hat{{y}}_{{{step}}}$" for step in (1, 2, 3)
    ]
    pooled = rows_of(Network([SimpleRNN(2, return_sequences=True), GlobalAveragePooling1D(), Dense(1)], (3, 2)))
    assert [row.at_steps for row in pooled] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("4 3", r"'dense' \(Dense\) comes before"),
        ("9x2 conv1d:2:3 lstm:2", r"'conv1d' \(Conv1D\) comes before"),
        ("9x2 3", "no layer is recurrent"),
    ],
)
def test_what_cannot_be_unrolled_says_why(text: str, words: str) -> None:
    with pytest.raises(NetworkError, match=words):
        Network.parse(text).draw_unrolled()
