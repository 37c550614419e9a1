"""A workbench in a process of its own, and Chromium; tests are skipped where one of them is missing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TOKEN = "t0ken"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SOURCE = Path(__file__).parents[2] / "src"


@dataclass(frozen=True)
class Bench:
    """A workbench that runs: its address without the token, and its working folder."""

    address: str
    folder: Path
    token: str = TOKEN

    def at(self, page: str) -> str:
        """Return the address of a page, with the token."""
        path, mark, place = page.partition("#")
        return f"{self.address}{path}{'&' if '?' in path else '?'}token={TOKEN}{mark}{place}"


@pytest.fixture(scope="session")
def measurements() -> Callable[..., Path]:
    """What writes a table of measurements into a file."""
    return _measurements


def _measurements(path: Path, rows: int = 240) -> Path:
    """Write a table with a sentinel, a leak-free target, and a name with markup in it."""
    rng = np.random.default_rng(5)
    x, z = rng.normal(size=rows), rng.uniform(0, 10, rows)
    y = 2 * x + np.sin(z) + 0.1 * rng.normal(size=rows)
    kind = np.where(y > 0, "up", "down")
    lines = ["x [mm],z,<b>bold</b>,y,kind"]
    lines += [f"{a:.4f},{b:.4f},{i % 7},{c:.4f},{k}" for i, (a, b, c, k) in enumerate(zip(x, z, y, kind, strict=True))]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    pytest.importorskip("nicegui", reason="the workbench needs NiceGUI")
    folder = tmp_path_factory.mktemp("bench")
    with started(folder) as found:
        yield found


@pytest.fixture(scope="session")
def runs(bench: Bench) -> Bench:
    """The workbench with three finished runs: classes, classes with sealed test rows, series."""
    import shoal

    small: dict[str, Any] = {"networks": 12, "epochs": 8, "batch_size": 32, "page": False}
    shoal.fit("iris", **small, search="random", out=str(bench.folder / "runs" / "iris-1"))
    shoal.fit("iris", **small, seal_test=True, out=str(bench.folder / "runs" / "sealed-1"))
    shoal.fit("damped_oscillation", **{**small, "networks": 3}, out=str(bench.folder / "runs" / "wave-1"))
    return bench


class started:
    """A workbench from `with` to its end."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self.words = folder, words

    def __enter__(self) -> Bench:
        path = os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
        self.process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-m", "shoal", "workbench", str(self.folder), "--no-browser",
             *self.words],
            env={**os.environ, "PYTHONPATH": path, "COLUMNS": "200", "SHOAL_TOKEN": TOKEN},
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stderr is not None
        said = ""
        for line in self.process.stderr:
            said += line
            if match := re.search(r"http://\S+/\?token=", line):
                return Bench(match[0].removesuffix("?token="), self.folder)
        raise AssertionError(f"the workbench did not start: {said}")

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # tells where each thread is
            said = self.process.communicate()[1]
            raise AssertionError(f"the workbench did not end by Ctrl-C: {said}") from None
        finally:
            assert self.process.stderr is not None
            self.process.stderr.close()


@pytest.fixture(scope="module")  # while it is open, a loop of asyncio runs
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="a browser is driven by playwright")
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def new_page(chromium: Any) -> Iterator[Callable[..., Any]]:
    """What opens a page in a browser of its own; errors of scripts and requests to other machines fail the test."""
    pages: list[Any] = []

    def opened(**settings: Any) -> Any:
        pages.append(_watched(chromium.new_context(**{"viewport": {"width": 1280, "height": 850}, **settings})))
        return pages[-1]

    yield opened
    for page in pages:
        page.context.close()
    assert not [wrong for page in pages for wrong in page.wrong]


@pytest.fixture
def page(new_page: Callable[..., Any]) -> Any:
    """A page of a desktop."""
    return new_page()


def _watched(context: Any) -> Any:
    page = context.new_page()
    page.set_default_timeout(60_000)  # training on a busy machine
    page.wrong = []
    page.on("pageerror", lambda error: page.wrong.append(str(error)))
    page.on("request", lambda request: None if _here(request.url) else page.wrong.append(f"asked {request.url}"))
    return page


def _here(url: str) -> bool:
    return url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "data:", "blob:", "about:"))
