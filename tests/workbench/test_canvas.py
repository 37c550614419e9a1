"""What the workbench draws, in real Chromium, and that the built file belongs to its source."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from pathlib import Path

import numpy as np

from shoal.results import Status
from shoal.runs.live_file import LiveFile
from shoal.runs.lock import Lock
from shoal.training.progress import CurvePiece, Move, Silent

WORKBENCH = Path(__file__).parents[2] / "src" / "shoal" / "workbench"


def test_the_built_file_belongs_to_the_source():
    names = sorted(path for path in (WORKBENCH / "canvas").glob("*.ts"))
    source = hashlib.sha256(b"".join(path.read_bytes() for path in names)).hexdigest()
    built = (WORKBENCH / "static" / "canvas.js").read_text(encoding="utf-8")
    assert f"source {source}," in built[:200], "run scripts/build_canvas"
    assert len(built) < 60_000


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


def standing(place) -> dict[str, float]:
    """Return where something lies in the window, as soon as it moves no more."""
    place.evaluate("""async (place) => {
        place.scrollIntoView({ block: "center" });
        for (let [before, still] = [NaN, 0]; still < 10; ) {
            await new Promise(requestAnimationFrame);
            const { top } = place.getBoundingClientRect();
            still = top === before ? still + 1 : 0;
            before = top;
        }
    }""")
    return place.bounding_box()


def test_a_run_is_followed_while_it_trains_and_when_it_is_deleted(page, runs):
    path = runs.folder / "runs" / "live-1"
    path.mkdir()
    held = Lock(path)
    held.acquire()
    live = LiveFile(path, Silent())
    live.moves([Move(n, n, Status.RUNNING) for n in range(6)])
    live.curves([CurvePiece(n, 0, 1.0 / np.arange(1, 11) + 0.01 * n) for n in range(6)])
    live.training(trained=0, total=6, epoch=10, best=0.1, metric="validation loss", seconds_left=None)
    time.sleep(0.1)
    live._write()
    page.goto(runs.at("training?run=live-1"))
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


def test_a_network_is_chosen_by_keys_and_named(page, runs):
    page.goto(runs.at("result?run=iris-1"))
    shown_text(page, "shoal-curves .sc-line", "12 of 12 networks")
    page.locator("shoal-curves .sc-box").focus()
    page.keyboard.press("ArrowDown")
    said = shown_text(page, "shoal-curves .sc-alone", "lowest loss")
    number = re.search(r"network (\d+)", said)[1]
    page.keyboard.press("Enter")
    shown_text(page, "#content", f"Network {number}[^0-9].*learning rate")
    page.locator("shoal-curves summary").click()
    assert page.locator("shoal-curves tbody tr").first.text_content().startswith(number)


def test_hyperparameters_are_brushed_and_the_curves_follow(page, runs):
    page.goto(runs.at("result?run=iris-1"))
    page.wait_for_selector("shoal-parallel canvas")
    box = standing(page.locator("shoal-parallel .sc-box"))
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


def test_what_if_answers_the_hand(page, runs):
    page.goto(runs.at("result?run=iris-1"))
    before = shown_text(page, "#answer", "probability")
    shown_text(page, "#parts", "What each column adds")
    page.locator("#w-2-n").fill("40")
    shown_text(page, "#answer", "unlike all rows of training")
    assert page.locator("#answer").text_content() != before
    page.locator("#w-2-s").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("() => document.querySelector('#w-2-n').value !== '40'")


def test_a_cell_of_the_confusion_matrix_shows_its_rows(page, runs):
    page.goto(runs.at("result?run=iris-1"))
    cell = page.locator(".confusion td button:not(:text-is('0'))").first
    count = int(cell.text_content())
    cell.click()
    shown_text(page, "#rows", rf": {count} rows?")
    page.wait_for_selector("#rows tbody tr")
    assert page.locator("#rows tbody tr").count() == count
    assert "petal" in page.locator("#rows thead").text_content()


def test_residuals_in_a_rectangle_show_their_rows(page, runs):
    page.goto(runs.at("result?run=wave-1"))
    plot = page.locator("shoal-plot .sc-box").first
    box = standing(plot)
    page.mouse.move(box["x"] + 60, box["y"] + 26)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 20, box["y"] + box["height"] - 46, steps=4)
    page.mouse.up()
    shown_text(page, "#rows", r"Rows in the rectangle: \d+ rows")
    page.wait_for_selector("#rows tbody tr")
    assert page.locator("#rows tbody tr").count() > 10


def test_sealed_rows_stay_sealed_until_they_are_opened(page, runs):
    page.goto(runs.at("result?run=sealed-1"))
    shown_text(page, "#content", "The test rows are sealed")
    page.locator("#f-part").select_option("test")
    shown_text(page, "#content .wrong", "are sealed")
    assert "test rows" not in page.locator("#content table thead").first.text_content()
    page.locator("#open-test").click()
    page.locator("#open-yes").click()
    page.wait_for_function(
        "() => /test rows/.test(document.querySelector('#content table thead')?.textContent ?? '')", timeout=60_000
    )


def test_two_runs_are_compared(page, runs):
    page.goto(runs.at("result?run=iris-1"))
    page.locator("#f-other").select_option("sealed-1")
    page.locator("#compare").click()
    shown_text(page, "#content", r"sealed-1 less iris-1|are sealed")
