"""The workbench as its users have it: in Chromium, with a mouse, with keys alone, on a phone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
ALL = {
    "data": ".drop",
    "data?data=iris": ".columns-table",
    "data?data=galaxies": ".examples figure",
    "networks?data=iris": ".plan dl",
    "networks?data=wine&network=13+8:relu+dropout:0.2+3:softmax": ".picture svg",
    "training?run=iris-1": "shoal-curves .sc-line >> text=networks trained",
    "result?run=wave-1": "#answer .big",
    "take?run=iris-1": "#command",
    "learn#optimizers": ".learn-say >> text=.",
}
"""Pages with what is there when they are drawn."""
DROPPED = """(text) => {
    const dropped = new DataTransfer();
    dropped.items.add(new File([text], "mine.csv"));
    return dropped;
}"""
LEARNS = """() => /epoch [1-9]/.test(document.querySelector("shoal-curves .sc-line")?.textContent ?? "")"""
CHOOSE = """([name, value]) => {
    const control = document.getElementById(name);
    control.value = value;
    control.dispatchEvent(new Event("change", { bubbles: true }));
}"""


def put(page: Any, name: str, value: str) -> None:
    """Type a setting."""
    page.locator(f"#f-set-{name}").fill(value)
    page.locator(f"#f-set-{name}").press("Enter")
    page.wait_for_function(f"location.search.includes('{name}={value}')")


def test_from_a_dropped_file_through_all_parts_to_an_exported_model_with_a_mouse(
    bench: Any, page: Any, measurements: Any, tmp_path: Path
) -> None:
    page.goto(bench.at("data"))
    dropped = page.evaluate_handle(DROPPED, measurements(tmp_path / "mine.csv").read_text())
    page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})
    page.wait_for_selector(".columns-table")
    assert "uploads/mine.csv" in page.url.replace("%2F", "/")
    assert page.locator("th", has_text="<b>bold</b>").count() == 1
    page.get_by_label("Role of y", exact=True).select_option("target")
    page.wait_for_selector("text=predicting y (a number)")
    page.get_by_label("Role of kind", exact=True).select_option("ignored")  # while the table is drawn anew
    page.wait_for_selector("tr.role-ignored")
    page.wait_for_selector("tr.role-target")
    page.get_by_label("Keep rows that fulfil").fill("z < 9")
    page.get_by_label("Keep rows that fulfil").press("Enter")
    page.wait_for_selector(".rule >> text=z < 9")
    page.wait_for_function("document.getElementById('f-where').value === ''")
    page.get_by_label("Keep rows that fulfil").fill("nonsense <")
    page.get_by_label("Keep rows that fulfil").press("Enter")
    page.wait_for_selector("#told .wrong")
    page.reload()
    page.wait_for_selector(".rule >> text=z < 9")
    page.click("#to-networks")
    page.wait_for_selector(".plan dl")
    for name, value in {"networks": "4", "cv": "none", "epochs": "15"}.items():
        put(page, name, value)
    page.wait_for_function("document.querySelector('.plan dd')?.textContent === '4'")
    page.click("#train")
    page.wait_for_url("**/training?*")
    page.click("#to-the-result")
    page.wait_for_selector("#answer .big")
    page.wait_for_selector("shoal-curves .sc-line >> text=4 of 4 networks trained")
    page.click("#to-learn")
    page.wait_for_selector(".learn-panels svg, .learn-panels canvas")
    page.click("#to-take")
    with page.expect_download() as download:
        page.click("#take-c")
    assert download.value.suggested_filename == "mine-1.zip"
    command = page.locator("#command").inner_text()
    assert "uploads/mine.csv" in command
    assert "--where 'z < 9'" in command
    with page.expect_download() as download:
        page.set_input_files("#file", measurements(tmp_path / "new.csv", 5))
    table = Path(download.value.path()).read_text()
    assert table.splitlines()[0].startswith("x [mm],z,<b>bold</b>,y,kind,prediction,")


@pytest.mark.parametrize(
    ("path", "field", "text", "other"),
    [("networks", "set-l2", "1e-4..1e-3", "smallest"), ("data", "where", "alcohol < 14", "seal_test")],
)
def test_what_is_typed_stays_while_the_form_is_drawn_anew(
    bench: Any, page: Any, path: str, field: str, text: str, other: str
) -> None:
    page.goto(bench.at(f"{path}?data=wine"))
    page.wait_for_selector(f"#f-set-{other}", state="attached")
    page.evaluate("(id) => { document.getElementById(id).focus() }", f"f-{field}")
    half = len(text) // 2
    page.keyboard.type(text[:half])
    for value in ("true", "false", "true"):
        page.evaluate(CHOOSE, [f"f-set-{other}", value])
        page.wait_for_function("(text) => location.search.includes(text)", arg=f"{other}={value}")
        page.wait_for_timeout(300)  # until it is drawn anew
    page.keyboard.type(text[half:])
    assert page.input_value(f"#f-{field}") == text
    page.keyboard.press("Enter")
    page.wait_for_function("(text) => [...new URLSearchParams(location.search).values()].includes(text)", arg=text)


def test_undo_goes_back_and_a_reload_keeps_all(bench: Any, page: Any) -> None:
    page.goto(bench.at("data?data=iris"))
    page.wait_for_selector(".columns-table")
    page.get_by_label("Role of sepal width (cm)").select_option("ignored")
    page.wait_for_selector("tr.role-ignored")
    page.reload()
    page.wait_for_selector("tr.role-ignored")
    page.keyboard.press("Control+z")
    page.wait_for_selector("tr.role-ignored", state="detached")
    assert "ignore" not in page.url


def tab_to(page: Any, name: str, key: str = "Tab", most: int = 60) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(most):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {name}")


def test_with_keys_alone(runs: Any, page: Any) -> None:
    page.goto(runs.at("data"))
    tab_to(page, "f-path")
    page.keyboard.type("wine")
    page.keyboard.press("Enter")
    page.wait_for_selector(".columns-table")
    tab_to(page, "f-role-0")
    page.keyboard.press("End")
    page.wait_for_selector("tr.role-ignored")
    page.wait_for_function("document.activeElement.id === 'f-role-0'")
    page.keyboard.press("Alt+2")
    page.wait_for_selector(".plan dl")
    tab_to(page, "build")
    page.keyboard.press("Enter")
    page.wait_for_selector("#f-layer-1")
    tab_to(page, "f-add")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector("#f-layer-3")
    tab_to(page, "up-2", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('f-layer-1').value === '8:relu'")
    page.wait_for_selector(".plan dl")
    tab_to(page, "f-set-networks", "Shift+Tab")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.wait_for_function("location.search.includes('networks=2')")
    tab_to(page, "train", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/training?*")
    tab_to(page, "stop")
    page.keyboard.press("Enter")
    page.goto(runs.at("take?run=iris-1"))
    tab_to(page, "take-python")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "iris-1.py"


def test_a_figure_of_learn_with_keys_alone(bench: Any, page: Any) -> None:
    page.goto(bench.at("learn#neuron"))
    page.wait_for_selector("#c-w1")
    page.wait_for_function("document.querySelector('.learn-say').textContent")
    page.evaluate("document.querySelector('h1').focus()")  # as after a link of the list
    before = page.text_content(".learn-say")
    tab_to(page, "c-w1")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("(before) => document.querySelector('.learn-say').textContent !== before", arg=before)
    page.wait_for_function("location.hash.includes('w1=')")
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.learn-question summary')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".learn-question details[open] p")


def test_on_a_phone(runs: Any, new_page: Any, measurements: Any, tmp_path: Path) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True)
    for path, ready in ALL.items():
        page.goto(runs.at(path))
        page.wait_for_selector(ready)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} pixels wide"
    page.goto(runs.at("data"))
    page.set_input_files("#file", measurements(tmp_path / "phone.csv"))
    page.wait_for_selector(".columns-table")
    page.tap("#to-networks")
    page.wait_for_selector("h1 >> text=Networks")


def test_axe_finds_nothing_serious(runs: Any, new_page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    page, found = new_page(reduced_motion="reduce"), []
    for path, ready in ALL.items():
        page.goto(runs.at(path))
        page.wait_for_selector(ready)
        for scheme, rules in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):  # nothing else differs
            page.emulate_media(color_scheme=scheme)
            for violation in axe.run(page, options=rules).response["violations"]:
                if violation["impact"] in ("serious", "critical"):
                    nodes = [node["html"][:160] for node in violation["nodes"][:3]]
                    found.append(f"{path}, {scheme}: {violation['id']}: {violation['help']}: {nodes}")
    assert not found


def test_two_tabs_that_start_the_same_get_the_same_run_which_stops_goes_on_and_is_finished_by_hand(
    bench: Any, new_page: Any
) -> None:
    pages = [new_page() for _ in range(2)]
    for each in pages:
        long = "epochs=50000&patience=50000&engine=native"
        each.goto(bench.at(f"networks?data=iris&networks=40&hidden=6&cv=none&page=false&{long}"))
        each.wait_for_selector(".plan dl")
    for each in pages:
        each.click("#train")
    for each in pages:
        each.wait_for_url("**/training?*")
    names = [each.url.partition("run=")[2] for each in pages]
    assert names[0] == names[1]
    page = pages[0]
    page.wait_for_function(LEARNS)
    page.click("#stop")
    page.click("#go-on")
    page.wait_for_selector("#stop")
    page.wait_for_function(LEARNS)
    pages[1].wait_for_selector("#stop")
    page.click("#keep")
    page.wait_for_selector("#to-the-result")
    pages[1].wait_for_selector("#to-the-result")


def test_what_is_wrong_is_said_on_the_page(bench: Any, page: Any) -> None:
    (bench.folder / "broken.parquet").write_bytes(b"PAR1 and nothing that makes sense")
    for path, words in {
        "data?data=none.csv": "there is no file",
        "data?data=broken.parquet": "broken.parquet",
        "data?data=iris&networks=many": "networks",
        "take?run=gone": "moved or deleted",
        "take?run=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E": "onerror",
        "networks?data=iris&network=4+8:relu+5:softmax": "3:softmax",
    }.items():
        page.goto(bench.at(path))
        page.wait_for_selector(f".wrong >> text={words}")
        assert "Traceback" not in page.inner_text("body")


def test_very_many_columns_stay_usable(bench: Any, page: Any) -> None:
    import numpy as np
    import polars as pl

    wide = pl.DataFrame(np.random.default_rng(1).normal(size=(12, 2_000)), schema=[f"c{i}" for i in range(2_000)])
    wide.write_parquet(bench.folder / "wide.parquet")
    page.goto(bench.at("data?data=wide.parquet&target=c7"))
    page.wait_for_selector(".columns-table")
    assert page.locator(".columns-table tbody tr").count() == 40
    page.get_by_label("Find columns").fill("c199")
    page.get_by_label("Find columns").press("Enter")
    page.wait_for_selector("text=1 to 11 of 11")


@pytest.mark.skipif("SHOAL_SCREENSHOTS" not in os.environ, reason="SHOAL_SCREENSHOTS names no folder for them")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "width", "height"), [("wide", 1280, 850), ("phone", 390, 844)])
def test_screenshots(runs: Any, new_page: Any, scheme: str, size: str, width: int, height: int) -> None:
    folder = Path(os.environ["SHOAL_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    page = new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    for number, (path, ready) in enumerate(ALL.items()):
        page.goto(runs.at(path))
        page.wait_for_selector(ready)
        page.wait_for_timeout(1500)
        name = path.partition("?")[0].partition("#")[0]
        page.screenshot(path=folder / f"{number}-{name}-{size}-{scheme}.png", full_page=True)
