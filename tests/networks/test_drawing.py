from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shoal.errors import NetworkError, SettingError
from shoal.networks import Dense, Flatten, Network
from shoal.networks.layout import RADIUS, layout_network
from shoal.streams import Stream

TEXTS = [
    "4 8:relu 3:softmax",
    "64 128:relu dropout:0.2 64:tanh 10:softmax",
    "1 1",
    "6 12:relu 12 12 12 12 12 2",
    "3 activation:relu",
    "8x8 flatten 4:glu 2",
    "3x5 2 flatten 2",
]


def test_small_layers_are_drawn_whole() -> None:
    layout = layout_network(Network.parse("4 8:relu 3:softmax"))
    assert [column.size for column in layout.columns] == [4, 8, 3]
    assert len(layout.nodes) == 15
    assert len(layout.edges) == 4 * 8 + 8 * 3
    assert all(edge.weight is None for edge in layout.edges)
    assert [column.caption for column in layout.columns] == [
        ("4 inputs",),
        ("8 neurons", "relu"),
        ("3 outputs", "softmax"),
    ]


def test_large_layers_are_abbreviated_and_counted() -> None:
    layout = layout_network(Network.parse("64 128:relu dropout:0.2 10:softmax"))
    hidden = [node.index for node in layout.nodes if node.column == 1]
    assert hidden == [0, 1, 2, 3, 4, 5, 6, 127]
    assert layout.columns[1].gap is not None
    assert layout.columns[2].gap is None
    assert layout.columns[1].caption == ("128 neurons", "relu", "dropout 0.2")
    ys = [node.y for node in layout.nodes if node.column == 1]
    assert ys[-2] > layout.columns[1].gap > ys[-1]


def test_edges_carry_the_weights_between_their_nodes() -> None:
    network = Network.parse("20 3:relu 2")
    p = network.initialize(Stream(0))
    layout = layout_network(network, p)
    for edge in layout.edges:
        assert edge.weight == p[edge.start.column]["kernel"][edge.start.index, edge.end.index]
        assert edge.end.column == edge.start.column + 1
    last = p[0]["kernel"][19]
    assert [e.weight for e in layout.edges if e.start.column == 0 and e.start.index == 19] == last.tolist()


def test_flattened_values_repeat_their_neurons() -> None:
    network = Network([Dense(2), Flatten(), Dense(1)], (3, 4))
    p = network.initialize(Stream(0))
    layout = layout_network(network, p)
    assert [column.size for column in layout.columns] == [4, 6, 1]
    weights = [e.weight for e in layout.edges if e.start.column == 0 and e.start.index == 0]
    assert weights == p[0]["kernel"][0].tolist() * 3


@pytest.mark.parametrize("text", TEXTS)
def test_nodes_lie_inside_and_apart(text: str) -> None:
    layout = layout_network(Network.parse(text))
    places = np.array([(node.x, node.y) for node in layout.nodes])
    assert (places - RADIUS > 0).all()
    assert (places + RADIUS < (layout.width, layout.height)).all()
    assert (places[:, 1] - RADIUS > layout.captions).all()
    distances = np.linalg.norm(places[:, None] - places[None], axis=-1) + 10 * np.eye(len(places))
    assert distances.min() > 2 * RADIUS


@pytest.mark.slow
@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("known", [True, False])
def test_texts_stay_inside_the_figure(text: str, known: bool) -> None:
    network = Network.parse(text)
    sizes = [column.size for column in layout_network(network).columns]
    figure = network.draw(
        network.initialize(Stream(0)) if known else None,
        feature_names=[f"a long name of a feature, number {i} = yes" for i in range(sizes[0])],
        class_names=[f"WIDE CLASS {i}" for i in range(sizes[-1])] if len(sizes) > 1 else None,
    )
    figure.draw_without_rendering()
    edge = figure.bbox
    for axes in figure.axes:
        for words in [*axes.texts, axes.title, *(axes.get_yticklabels() if axes.axison else [])]:
            if words.get_text():
                box = words.get_window_extent()
                assert box.x0 >= edge.x0
                assert box.x1 <= edge.x1
                assert box.y0 >= edge.y0
                assert box.y1 <= edge.y1


def test_strong_weights_are_wide_and_coloured_by_sign() -> None:
    network = Network([Dense(3, use_bias=False)], (1,))
    figure = network.draw([{"kernel": np.array([[-2.0, 0.1, 2.0]], np.float32)}])
    lines = figure.axes[0].collections[0]
    widths, colours = lines.get_linewidths(), lines.get_colors()
    assert widths[0] < widths[1] == widths[2]  # drawn from weak to strong
    blue, red = colours[1], colours[2]
    assert blue[2] > blue[0]
    assert red[0] > red[2]


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_odd_weights_are_drawn(value: float) -> None:
    network = Network([Dense(2, use_bias=False)], (1,))
    network.draw([{"kernel": np.array([[value, 1.0]])}]).draw_without_rendering()
    network.draw([{"kernel": np.array([[value, value]])}]).draw_without_rendering()


def test_leaves_pyplot_alone(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt

    Network.parse("4 8:relu 3").draw(path=tmp_path / "network.png")
    assert plt.get_fignums() == []


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_writes_figures(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"network.{ending}"
    Network.parse("4 8:relu 3").draw(path=path)
    assert path.stat().st_size > 1000


@pytest.mark.parametrize("name", ["network.xyz", "network"])
def test_unknown_endings_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match=r"its name must end in one of .*\.png"):
        Network.parse("4 3").draw(path=tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_names_and_parameters_are_checked() -> None:
    network = Network.parse("4 3")
    with pytest.raises(NetworkError, match="feature_names has 2 names but the network has 4 inputs"):
        network.draw(feature_names=["a", "b"])
    with pytest.raises(NetworkError, match="class_names has 1 names but the network has 3 outputs"):
        network.draw(class_names=["a"])
    with pytest.raises(NetworkError, match="got parameters for 0"):
        network.draw([])


def test_images_are_blocks_and_dense_layers_nodes() -> None:
    network = Network.parse("8x8x1 conv2d:4:3:relu maxpooling2d:2 dropout:0.1 flatten 5:tanh 3:softmax")
    layout = layout_network(network, network.initialize(Stream(0)))
    assert [column.block for column in layout.columns] == [True, True, True, False, False, False]
    assert [column.caption for column in layout.columns[1:4]] == [
        ("conv2d 3×3", "6×6×4", "relu"),
        ("maxpooling2d 2×2", "3×3×4", "dropout 0.1"),
        ("flatten", "36 values"),
    ]
    assert layout.arrows == ((0, 1), (1, 2), (2, 3))
    assert {(edge.start.column, edge.end.column) for edge in layout.edges} == {(3, 4), (4, 5)}


@pytest.mark.parametrize(
    "text", ["4 16 reshape:4x4x1 conv2dtranspose:1:3:2:same", "9x2 conv1d:4:3 3", "9x2 globalaveragepooling1d 2"]
)
def test_captions_of_blocks_stay_inside(text: str) -> None:
    figure = Network.parse(text).draw()
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts if t.get_text()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.width for box in boxes)
    assert all(not a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
