"""The widget: what Python hands over, what a real kernel shows, and what Chromium draws of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import shoal
from shoal.notebook import curve_table
from shoal.notebook.curve_table import CurveTable, Picture

HERE = Path(__file__).parent
ESM = Path(curve_table.__file__).with_name("curves.js")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
BEST = {"light": [213, 94, 0], "dark": [240, 160, 96]}
WAYS = {"light": "background: #fff; color: #1b1f24", "dark": "background: #111418; color: #e8eaed"}
WORDS = {"notes": ["predicting <i>y</i>"], "warnings": ["few rows"], "metric": "validation loss"}


def picture(networks: int, epochs: int) -> tuple[Picture, int]:
    table, rng = CurveTable(), np.random.default_rng(networks)
    for number in range(networks):
        curve = 0.1 + rng.random() * np.exp(-0.05 * np.arange(epochs))
        table.add(number, 0, curve)
    return table.picture(), networks


def state_of(shown: Picture, networks: int, *, ended: bool = False) -> dict[str, Any]:
    pytest.importorskip("anywidget")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from shoal.notebook.widget import CurvesWidget

        widget = CurvesWidget()
        widget.show(shown, networks, "2/4 networks", WORDS, ended=ended)
        losses = np.frombuffer(widget.losses, "<f4").tolist()
        assert repr(widget) == "2/4 networks"
        widget.close()
    return {"state": dict(widget.state), "losses": [value if value == value else None for value in losses]}


def test_the_whole_picture_is_handed_over() -> None:
    shown, count = picture(3, 4)
    told = state_of(shown, count)
    np.testing.assert_array_equal(np.array(told["losses"], np.float32).reshape(3, 4), shown.losses)
    assert told["state"]["best"]["loss"] == shown.best.loss  # type: ignore[union-attr]
    json.dumps(told["state"])  # as it goes to the browser


def drawn(told: dict[str, Any], way: str, width: int, tmp_path: Path) -> dict[str, Any]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium")
    page = (HERE / "page.html").read_text(encoding="utf-8")
    source = ESM.read_text(encoding="utf-8").replace("export default", "const widget =")
    for name, value in {"SOURCE": source, "DATA": json.dumps(told), "WAY": WAYS[way], "BEST)": f"{BEST[way]})"}.items():
        page = page.replace(name, value, 1)
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    command = [
        CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}",
        f"--window-size={width},400", "--virtual-time-budget=5000", "--dump-dom", (tmp_path / "page.html").as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    body = done.stdout[done.stdout.index("<body") :]
    seen: dict[str, Any] = json.loads(
        body[body.index("{") : body.rindex("}") + 1].replace("&lt;", "<").replace("&gt;", ">")
    )
    return seen


@pytest.mark.slow
@pytest.mark.parametrize(("way", "networks", "width"), [("light", 100, 900), ("dark", 1000, 500)])
def test_chromium_draws_all_curves_and_marks_the_best(way: str, networks: int, width: int, tmp_path: Path) -> None:
    shown, count = picture(networks, 60)
    seen = drawn(state_of(shown, count), way, width, tmp_path)
    assert not seen["hidden"]
    assert seen["scroll"] <= width
    assert seen["inked"] > 5000
    assert seen["best"] > 200
    assert seen["texts"] == [["note", "predicting <i>y</i>"], ["warning", "few rows"], ["line", "2/4 networks"]]
    assert seen["elements"] == 0  # texts are no markup
    assert seen["label"] == f"Validation curves of {networks} networks. 2/4 networks"
    assert seen["left"] == 0  # nothing listens when the widget is gone


@pytest.mark.slow
def test_before_the_first_epoch_there_is_no_drawing(tmp_path: Path) -> None:
    assert drawn(state_of(CurveTable().picture(), 0), "light", 500, tmp_path)["hidden"]


CELLS = [
    "import shoal, sys",
    "run = shoal.fit('iris', target='species', networks=6, hidden=(4,), epochs=12, batch_size=32, page=False, "
    "out='run', progress=True)",
    "run",
    "run.network",
    "run.predict('iris')",
    "run.draw_network()",
    "shoal.fit('iris', target='species', networks=2, epochs=0, progress=True)",
]


@pytest.mark.slow
def test_a_notebook_shows_the_curves_and_what_came_of_them(tmp_path: Path) -> None:
    for package in ("nbclient", "ipykernel", "anywidget"):
        pytest.importorskip(package)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import nbformat
        from nbclient import NotebookClient

        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        resources = {"metadata": {"path": str(tmp_path)}}
        client = NotebookClient(
            notebook,
            timeout=120,
            kernel_name="python3",
            store_widget_state=True,
            allow_errors=True,
            resources=resources,
        )
        client.execute(env={**os.environ, "PYTHONPATH": str(Path(shoal.__file__).parents[1])})
    _, fitted, *shown, failed = (cell.outputs for cell in notebook.cells)
    (output,) = fitted
    assert output["data"]["text/plain"].startswith("done · 6/6 networks · epoch 12 · best validation loss 0.")
    models = notebook.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    model = models[output["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]]["state"]
    run = shoal.load(tmp_path / "run")
    assert model["_esm"] == ESM.read_text(encoding="utf-8")
    assert (model["state"]["networks"], model["state"]["ended"]) == (6, True)
    best = model["state"]["best"]
    lowest = run.curves.sort("validation_loss").row(0, named=True)
    assert (best["network"], best["epoch"]) == (lowest["network"], lowest["epoch"])
    kinds = ("text/html", "text/html", "text/html", "image/svg+xml")
    for (result,), kind in zip(shown, kinds, strict=True):
        assert kind in result["data"]
        assert "text/plain" in result["data"]
    assert shown[0][0]["data"]["text/html"].startswith("<p><b>run</b> ")
    assert [output["output_type"] for output in failed] == ["error"]
    assert "SettingError" in failed[0]["ename"]
