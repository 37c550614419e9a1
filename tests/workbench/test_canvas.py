"""What the workbench draws, in real Chromium, and that the built file belongs to its source."""

from __future__ import annotations

import hashlib
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest

from shoal.results import Status
from shoal.runs.live_file import LiveFile
from shoal.runs.lock import Lock
from shoal.training.progress import CurvePiece, Move, Silent

WORKBENCH = Path(__file__).parents[2] / "src" / "shoal" / "workbench"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SERVER = """
import sys, uvicorn
from shoal.workbench.app import build
uvicorn.run(build(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
"""


def test_the_built_file_belongs_to_the_source():
    names = sorted(path for path in (WORKBENCH / "canvas").glob("*.ts"))
    source = hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()
    built = (WORKBENCH / "static" / "canvas.js").read_text(encoding="utf-8")
    assert f"source {source}," in built[:200], "run scripts/build_canvas"
    assert len(built) < 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    import shoal

    path = tmp_path_factory.mktemp("canvas")
    small = {"networks": 12, "epochs": 8, "batch_size": 32, "page": False}
    shoal.fit("iris", **small, search="random", out=str(path / "runs" / "iris-1"))
    shoal.fit("iris", **small, seal_test=True, out=str(path / "runs" / "sealed-1"))
    shoal.fit("damped_oscillation", **{**small, "networks": 3}, out=str(path / "runs" / "wave-1"))
    return path


@pytest.fixture(scope="module")
def address(folder) -> Iterator[str]:
    pytest.importorskip("nicegui", reason="the workbench needs NiceGUI")
    pytest.importorskip("playwright", reason="pages are looked at by Playwright")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-c", SERVER, str(folder), str(port)])
    address = f"http://127.0.0.1:{port}/"
    try:
        for _ in range(240):
            try:
                urlopen(f"{address}api/jobs", timeout=1).close()
                break
            except OSError:
                time.sleep(0.25)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def page(chromium, request):
    with chromium.new_context(**getattr(request, "param", {})) as context:
        shown, wrong = context.new_page(), []
        shown.on("pageerror", lambda error: wrong.append(str(error)))
        shown.set_default_timeout(30_000)
        yield shown
        assert wrong == []


def shown_text(page, selector: str, pattern: str) -> str:
    """Wait until an element says something."""
    page.wait_for_function(
        "([s, p]) => new RegExp(p).test(document.querySelector(s)?.textContent ?? '')", arg=[selector, pattern]
    )
    return page.locator(selector).first.text_content()


def ink(page, selector: str) -> int:
    """Return how many pixels of the canvases of an element are not empty."""
    return page.evaluate(
        """(selector) => [...document.querySelectorAll(selector + ' canvas')].reduce((sum, canvas) => {
            if (!canvas.width || !canvas.height) return sum;
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            let count = 0;
            for (let i = 3; i < data.length; i += 4) if (data[i]) count += 1;
            return sum + count;
        }, 0)""",
        selector,
    )


def test_a_run_is_followed_while_it_trains_and_when_it_is_deleted(page, address, folder):
    path = folder / "runs" / "live-1"
    path.mkdir()
    held = Lock(path)
    held.acquire()
    live = LiveFile(path, Silent())
    live.moves([Move(n, n, Status.RUNNING) for n in range(6)])
    live.curves([CurvePiece(n, 0, 1.0 / np.arange(1, 11) + 0.01 * n) for n in range(6)])
    live.training(trained=0, total=6, epoch=10, best=0.1, metric="validation loss", seconds_left=None)
    time.sleep(0.1)
    live._write()
    page.goto(f"{address}training?run=live-1")
    shown_text(page, "shoal-curves .sc-line", r"0 of 6 networks trained · epoch 10 · best 0.1: network 0, epoch 10")
    shown_text(page, "shoal-curves .sc-places", "6 of 6 places taken")
    before = ink(page, "shoal-curves .sc-box")
    live.curves([CurvePiece(n, 10, 1.0 / np.arange(11, 16) + 0.01 * n) for n in range(6)])
    live.moves([Move(5, 5, Status.CUT)])
    live._write()
    shown_text(page, "shoal-curves .sc-line", "epoch 15")
    page.wait_for_function("() => document.querySelector('shoal-curves').drawn.frames > 1")
    assert ink(page, "shoal-curves .sc-box") != before
    assert page.locator("#stop").count() == 1
    live.ended(True)
    held.release()
    shutil.rmtree(path)
    shown_text(page, "shoal-curves .sc-line", "was moved or deleted")
    shown_text(page, "#content .wrong", "was moved or deleted")


def test_a_network_is_chosen_by_keys_and_named(page, address):
    page.goto(f"{address}result?run=iris-1")
    shown_text(page, "shoal-curves .sc-line", "12 of 12 networks")
    page.locator("shoal-curves .sc-box").focus()
    page.wait_for_timeout(600)
    page.keyboard.press("ArrowDown")
    said = shown_text(page, "shoal-curves .sc-alone", "lowest loss")
    number = re.search(r"network (\d+)", said)[1]
    page.keyboard.press("Enter")
    shown_text(page, "#content", f"Network {number}[^0-9].*learning rate")
    page.locator("shoal-curves summary").click()
    page.wait_for_timeout(1500)
    first = page.locator("shoal-curves tbody tr").first.text_content()
    assert first.startswith(number)


def test_hyperparameters_are_brushed_and_the_curves_follow(page, address):
    page.goto(f"{address}result?run=iris-1")
    page.wait_for_selector("shoal-parallel canvas")
    page.locator("shoal-parallel").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = page.locator("shoal-parallel .sc-box").bounding_box()
    x, top, bottom = box["x"] + 46, box["y"] + 45, box["y"] + box["height"] / 2
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x, bottom, steps=5)
    page.mouse.up()
    within = shown_text(page, "shoal-parallel .sc-line", r"\d+ of 12 networks")
    page.wait_for_function("() => (document.querySelector('shoal-curves').getAttribute('brushed') ?? '') !== ''")
    brushed = page.locator("shoal-curves").get_attribute("brushed").split(",")
    assert len(brushed) == int(within.split()[0])
    assert 0 < len(brushed) < 12


def test_what_if_answers_the_hand(page, address):
    page.goto(f"{address}result?run=iris-1")
    before = shown_text(page, "#answer", "probability")
    shown_text(page, "#parts", "What each column adds")
    page.locator("#w-2-n").fill("40")
    shown_text(page, "#answer", "unlike all rows of training")
    assert page.locator("#answer").text_content() != before
    page.locator("#w-2-s").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('#w-2-n').value !== '40'")


def test_a_cell_of_the_confusion_matrix_shows_its_rows(page, address):
    page.goto(f"{address}result?run=iris-1")
    cell = page.locator(".confusion td button:not(:text-is('0'))").first
    count = int(cell.text_content())
    cell.click()
    shown_text(page, "#rows", rf": {count} rows?")
    page.wait_for_selector("#rows tbody tr")
    assert page.locator("#rows tbody tr").count() == count
    assert "petal" in page.locator("#rows thead").text_content()


def test_residuals_in_a_rectangle_show_their_rows(page, address):
    page.goto(f"{address}result?run=wave-1")
    plot = page.locator("shoal-plot .sc-box").first
    plot.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    box = plot.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 26)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 46, steps=4)
    page.mouse.up()
    shown_text(page, "#rows", r"Rows in the rectangle: \d+ rows")
    page.wait_for_selector("#rows tbody tr")
    assert page.locator("#rows tbody tr").count() > 10


def test_sealed_rows_stay_sealed_until_they_are_opened(page, address):
    page.goto(f"{address}result?run=sealed-1")
    shown_text(page, "#content", "The test rows are sealed")
    page.locator("#f-part").select_option("test")
    shown_text(page, "#content .wrong", "are sealed")
    assert "test rows" not in page.locator("#content table thead").first.text_content()
    page.locator("#open-test").click()
    page.locator("#open-yes").click()
    page.wait_for_function(
        "() => /test rows/.test(document.querySelector('#content table thead')?.textContent ?? '')", timeout=60_000
    )


def test_two_runs_are_compared(page, address):
    page.goto(f"{address}result?run=iris-1")
    page.locator("#f-other").select_option("sealed-1")
    page.locator("#compare").click()
    shown_text(page, "#content", r"sealed-1 less iris-1|are sealed")


PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "color_scheme": "dark"}


@pytest.mark.slow
@pytest.mark.parametrize("page", [PHONE, {"reduced_motion": "reduce"}], indirect=True)
@pytest.mark.parametrize("which", ["training?run=iris-1", "result?run=wave-1"])
def test_axe_finds_nothing_serious(page, address, which):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe looks for barriers")
    page.goto(f"{address}{which}")
    shown_text(page, "shoal-curves .sc-line", "networks trained")
    page.wait_for_timeout(2500)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth + 1")
    found = axe.Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
