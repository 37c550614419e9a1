"""What shows itself in a notebook: the same numbers as in Python, and no text of the data as markup."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.notebook.html import paragraph, table
from shoal.report.figures.history import History
from shoal.runs.folder import RunFolder

HOSTILE = "<script>alert(1)</script>"


def check_closed(page: str) -> None:
    for tag in ("table", "tr", "td", "th", "p", "div", "svg"):
        opened = page.count(f"<{tag}>") + page.count(f"<{tag} ")
        assert opened == page.count(f"</{tag}>"), tag


def test_text_is_escaped() -> None:
    assert HOSTILE not in table((HOSTILE,), [(HOSTILE,)]) + paragraph(HOSTILE, bold=HOSTILE)


def test_a_run_shows_verdict_scores_and_its_best_network(iris_run: shoal.Run) -> None:
    page = iris_run._repr_html_()
    check_closed(page)
    assert iris_run.summary()[:40] in page
    assert f"<td>{iris_run.metrics['test']['log_loss']['value']:.4g}</td>" in page
    assert page.count("<svg ") == 1
    assert all(name in page for name in ("petal length (cm)", "versicolor", "6 neurons"))
    assert page == iris_run._repr_html_()


def test_a_run_that_is_not_finished_shows_that_it_is_not(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "<b>", "iris")
    folder.write_config({"seed": 0})
    assert shoal.Run(folder)._repr_html_() == f"<p>Run(&#x27;{tmp_path}/&lt;b&gt;&#x27;, not finished)</p>"


@pytest.mark.slow
def test_names_of_the_data_are_no_markup(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = {HOSTILE: rng.standard_normal(60).tolist(), "hot": [HOSTILE, "<b>"] * 30, "wet": [True, True, False] * 20}
    settings: dict[str, Any] = {"networks": 1, "hidden": (3,), "epochs": 2, "page": False}
    run = shoal.fit(table, target=["hot", "wet"], **settings, out=str(tmp_path / "run"))
    pages = [run._repr_html_(), run.targets["hot"]._repr_html_(), run.predict(table)._repr_html_()]
    pages.append(run.targets["hot"].predict(table)._repr_html_())
    assert all("<script" not in page and "<b>" not in page.replace(f"<b>{run.name}</b>", "") for page in pages[2:])
    assert all("<script" not in page for page in pages)
    assert "<svg" not in pages[0]  # each target has networks of its own
    assert pages[1].count("<svg ") == 1


@pytest.mark.parametrize(
    "network",
    [
        shoal.Network.parse("4 8:relu dropout:0.2 3:softmax"),
        shoal.Network([shoal.Conv2D(3, 3), shoal.Flatten(), shoal.Dense(2)], input_shape=(8, 8, 1)),
        shoal.Network([shoal.LSTM(40), shoal.Dense(1, name="<b>")], input_shape=(9, 2)),
    ],
    ids=("dense", "images", "series"),
)
def test_a_network_shows_its_drawing_and_its_layers(network: shoal.Network) -> None:
    page = network._repr_html_()
    check_closed(page)
    assert page.count("<svg ") == 1
    assert page.count("<tr>") == 2 + len(network.layers)
    assert f"{network.parameter_count:,} parameters" in page
    assert "<b>" not in page
    lines = network.summary().splitlines()[2:-2]
    assert all(html.escape(line.split()[0]) in page for line in lines)


def test_a_trained_network_shows_its_weights_and_its_last_scores() -> None:
    x, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    trained = shoal.Network.parse("2 4:tanh 1:sigmoid").fit(x, y, loss="binary_crossentropy", epochs=3, batch_size=4)
    page = trained._repr_html_()
    check_closed(page)
    assert "after epoch 3" in page
    assert f"<td>{trained.history['loss'][-1]:.4g}</td>" in page
    assert "weight</text>" in page or "weight" in page.split("</svg>")[0]  # the bar of colours


def test_figures_show_themselves() -> None:
    network = shoal.Network.parse("2 3 1")
    for figure in (network.draw(), History({"loss": [1.0, 0.5]}).draw(), History({"loss": [1.0, 0.5]})):
        assert figure._repr_svg_().startswith("<?xml")  # type: ignore[attr-defined]
        assert "</svg>" in figure._repr_svg_()  # type: ignore[attr-defined]
