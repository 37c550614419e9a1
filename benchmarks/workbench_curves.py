"""How many pictures of learning curves a second the page draws, and what that costs server and browser.

python benchmarks/workbench_curves.py 1000 30     1,000 networks, each of which has 30 new epochs a second

A process writes the curves as a run that trains does; a page of the workbench in Chromium follows it for ten seconds.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.request import urlopen

import numpy as np

SECONDS = 10.0
SERVER = """
import sys, uvicorn
from shoal.workbench.app import build
if __name__ == "__main__":
    uvicorn.run(build(sys.argv[1]), port=int(sys.argv[2]), log_level="warning")
"""
STATE = """() => { const c = document.querySelector('shoal-curves').drawn; return {...c, raf: window.counted}; }"""


def write(folder: str, networks: int, a_second: float) -> None:
    """Write curves as training does until the process is ended."""
    from shoal.results import Status
    from shoal.runs.live_file import LiveFile
    from shoal.runs.lock import Lock
    from shoal.training.progress import CurvePiece, Move, Silent

    held = Lock(folder)
    held.acquire()
    live, rng = LiveFile(folder, Silent()), np.random.default_rng(0)
    low, speed = rng.uniform(0.02, 0.3, networks), rng.uniform(0.005, 0.1, networks)
    live.moves([Move(n, n, Status.RUNNING) for n in range(networks)])
    began, epoch = time.perf_counter(), 0
    while True:
        losses = (low + np.exp(-speed * epoch) + 0.01 * rng.normal(size=networks)).astype(np.float32)
        live.curves([CurvePiece(n, epoch, losses[n : n + 1]) for n in range(networks)])
        live.training(trained=0, total=networks, epoch=epoch, best=0.02, metric="validation loss", seconds_left=None)
        epoch += 1
        time.sleep(max(0.0, began + epoch / a_second - time.perf_counter()))


def seconds_of(process: int) -> float:
    """Return the seconds of processor time of a process and all below it."""
    total, ticks = 0.0, os.sysconf("SC_CLK_TCK")
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(") ")[2].split()
            parents = chain(int(path.parent.name))
        except OSError:
            continue
        if process in parents:
            total += (int(fields[11]) + int(fields[12])) / ticks
    return total


def chain(process: int) -> list[int]:
    """Return a process and those above it."""
    found = [process]
    while found[-1] > 1:
        found.append(int(Path(f"/proc/{found[-1]}/stat").read_text().rpartition(") ")[2].split()[1]))
    return found


def main(networks: int, a_second: float) -> None:
    """Measure and print one line of JSON."""
    from playwright.sync_api import sync_playwright

    root = Path(tempfile.mkdtemp())
    folder = root / "runs" / "many-1"
    folder.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(root), str(port)])
    writer = multiprocessing.get_context("spawn").Process(
        target=write, args=(str(folder), networks, a_second), daemon=True
    )
    writer.start()
    for _ in range(200):
        try:
            urlopen(f"http://127.0.0.1:{port}/api/jobs").close()
            break
        except OSError:
            time.sleep(0.1)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"http://127.0.0.1:{port}/training?run=many-1")
        page.evaluate("window.counted = 0; (function f() { window.counted += 1; requestAnimationFrame(f); })()")
        page.wait_for_timeout(6000)
        driver = next(p for p in chain_children(os.getpid()) if "playwright" in command(p))
        before, cpu = page.evaluate(STATE), [seconds_of(server.pid), seconds_of(driver)]
        began = time.perf_counter()
        page.wait_for_timeout(SECONDS * 1000)
        after, wall = page.evaluate(STATE), time.perf_counter() - began
        used = [seconds_of(server.pid) - cpu[0], seconds_of(driver) - cpu[1]]
        page.screenshot(path=str(Path(tempfile.gettempdir()) / f"curves_{networks}.png"))
        browser.close()
    frames = after["frames"] - before["frames"]
    result = {
        "networks": networks,
        "pictures_a_second": round(frames / wall, 1),
        "browser_frames_a_second": round((after["raf"] - before["raf"]) / wall, 1),
        "drawing_ms": round((after["milliseconds"] - before["milliseconds"]) / max(1, frames), 2),
        "server_cpu": f"{100 * used[0] / wall:.0f} %",
        "browser_cpu": f"{100 * used[1] / wall:.0f} %",
    }
    print(json.dumps(result))
    writer.terminate()
    server.terminate()
    server.wait()
    shutil.rmtree(root, ignore_errors=True)


def chain_children(process: int) -> list[int]:
    """Return the processes right below one."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(path.read_text().rpartition(") ")[2].split()[1]) == process:
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def command(process: int) -> str:
    """Return the command line of a process."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
