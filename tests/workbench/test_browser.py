"""The workbench as its users have it: in Chromium, with a mouse, with keys alone, on a phone."""

from __future__ import annotations

import os
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
PAGES = ("data?data=iris", "networks?data=iris", "take?data=iris")
SMALL = "networks=4&epochs=15&hidden=6&cv=none"


def get(bench: Any, path: str) -> str:
    request = urllib.request.Request(bench.address + path, headers={"Authorization": f"Bearer {bench.token}"})
    with urllib.request.urlopen(request) as answer:
        return str(answer.read().decode())


def put(page: Any, name: str, value: str) -> None:
    """Type a setting."""
    page.locator(f"#f-set-{name}").fill(value)
    page.locator(f"#f-set-{name}").press("Enter")
    page.wait_for_function(f"location.search.includes('{name}={value}')")


def trained(bench: Any, name: str) -> None:
    """Wait until a run is finished."""
    end = time.monotonic() + 120
    while '"finished"' not in (said := get(bench, f"api/jobs/{name}")):
        assert time.monotonic() < end, said
        time.sleep(0.2)


def test_from_a_dropped_file_to_an_exported_model_with_a_mouse(
    bench: Any, page: Any, measurements: Any, tmp_path: Path
) -> None:
    page.goto(bench.at("data"))
    page.set_input_files("#file", measurements(tmp_path / "mine.csv"))
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
    trained(bench, "mine-1")
    page.goto(bench.at("take?run=mine-1"))
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
    assert not page.wrong


CHOOSE = """([name, value]) => {
    const control = document.getElementById(name);
    control.value = value;
    control.dispatchEvent(new Event("change", { bubbles: true }));
}"""


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
    assert not page.wrong


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
    assert not page.wrong


def tab_to(page: Any, name: str, most: int = 120) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(most):
        if page.evaluate("document.activeElement.id") == name:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {name}")


def test_with_keys_alone(bench: Any, page: Any) -> None:
    page.goto(bench.at("data"))
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
    tab_to(page, "up-2")
    page.keyboard.press("Enter")
    page.wait_for_function("document.getElementById('f-layer-1').value === '8:relu'")
    page.wait_for_selector(".plan dl")
    tab_to(page, "f-set-networks")
    page.keyboard.type("2")
    page.keyboard.press("Tab")
    page.wait_for_function("location.search.includes('networks=2')")
    page.goto(bench.at(f"networks?{page.url.partition('?')[2]}&epochs=5&cv=none"))
    page.wait_for_selector(".plan dl")
    tab_to(page, "train")
    page.keyboard.press("Enter")
    page.wait_for_url("**/training?*")
    trained(bench, "wine-1")
    page.goto(bench.at("take?run=wine-1"))
    tab_to(page, "take-python")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename == "wine-1.py"
    assert not page.wrong


def test_on_a_phone(bench: Any, chromium: Any, watched: Any, measurements: Any, tmp_path: Path) -> None:
    context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = watched(context)
    for path in ("data", *PAGES, f"networks?data=iris&network=4+8:relu+3:softmax&{SMALL}"):
        page.goto(bench.at(path))
        page.wait_for_selector("h1")
        page.wait_for_timeout(700)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{path} is {wide} pixels wide"
    page.goto(bench.at("data"))
    page.set_input_files("#file", measurements(tmp_path / "phone.csv"))
    page.wait_for_selector(".columns-table")
    page.tap("#to-networks")
    page.wait_for_selector("h1 >> text=Networks")
    assert not page.wrong
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(bench: Any, chromium: Any, watched: Any, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    context = chromium.new_context(viewport={"width": 1280, "height": 850}, color_scheme=scheme)
    page = watched(context)
    found = []
    for path in ("data", *PAGES, "networks?data=wine&network=13+8:relu+dropout:0.2+3:softmax", "data?data=galaxies"):
        page.goto(bench.at(path))
        page.wait_for_timeout(2500)
        for violation in axe.run(page).response["violations"]:
            if violation["impact"] in ("serious", "critical"):
                nodes = [node["html"][:160] for node in violation["nodes"][:3]]
                found.append(f"{path}: {violation['id']}: {violation['help']}: {nodes}")
    context.close()
    assert not found


def test_two_tabs_that_start_the_same_get_the_same_run(bench: Any, chromium: Any, watched: Any) -> None:
    contexts = [chromium.new_context() for _ in range(2)]
    pages = [watched(context) for context in contexts]
    for each in pages:
        each.goto(bench.at("networks?data=iris&networks=300&epochs=5000&patience=5000&page=false"))
        each.wait_for_selector(".plan dl")
    for each in pages:
        each.click("#train")
    names = []
    for each in pages:
        each.wait_for_url("**/training?*")
        names.append(each.url.partition("run=")[2])
    request = urllib.request.Request(
        f"{bench.address}api/jobs/{names[0]}/stop", method="POST", headers={"Authorization": f"Bearer {bench.token}"}
    )
    with urllib.request.urlopen(request):
        pass
    assert names[0] == names[1]
    for context in contexts:
        context.close()


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("data?data=none.csv", "there is no file"),
        ("data?data=broken.parquet", "broken.parquet"),
        ("data?data=iris&networks=many", "networks"),
        ("take?run=gone", "moved or deleted"),
        ("take?run=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E", "onerror"),
        ("networks?data=iris&network=4+8:relu+5:softmax", "3:softmax"),
    ],
)
def test_what_is_wrong_is_said_on_the_page(bench: Any, page: Any, path: str, words: str) -> None:
    (bench.folder / "broken.parquet").write_bytes(b"PAR1 and nothing that makes sense")
    page.goto(bench.at(path))
    page.wait_for_selector(f".wrong >> text={words}")
    assert "Traceback" not in page.inner_text("body")
    assert not page.wrong


def test_very_many_columns_stay_usable(bench: Any, page: Any) -> None:
    import numpy as np
    import polars as pl

    wide = pl.DataFrame(np.random.default_rng(1).normal(size=(12, 6_000)), schema=[f"c{i}" for i in range(6_000)])
    wide.write_parquet(bench.folder / "wide.parquet")
    page.goto(bench.at("data?data=wide.parquet&target=c7"))
    page.wait_for_selector(".columns-table", timeout=120_000)
    assert page.locator(".columns-table tbody tr").count() == 40
    page.get_by_label("Find columns").fill("c599")
    page.get_by_label("Find columns").press("Enter")
    page.wait_for_selector("text=1 to 11 of 11")
    assert not page.wrong


@pytest.mark.skipif("SHOAL_SCREENSHOTS" not in os.environ, reason="SHOAL_SCREENSHOTS names no folder for them")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "width", "height"), [("wide", 1280, 850), ("phone", 390, 844)])
def test_screenshots(bench: Any, chromium: Any, watched: Any, scheme: str, size: str, width: int, height: int) -> None:
    folder = Path(os.environ["SHOAL_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = watched(context)
    paths = [
        *PAGES,
        "data",
        "training?data=iris",
        "result?data=iris",
        "learn",
        "networks?data=wine&network=13+8:relu+3:softmax",
    ]
    for number, path in enumerate(paths):
        if page.goto(bench.at(path)).status == 200:
            page.wait_for_timeout(2500)
            page.screenshot(path=folder / f"{number}-{path.partition('?')[0]}-{size}-{scheme}.png", full_page=True)
    context.close()
