"""Runs that are killed, that two processes want, and whose disk is full: each goes on to the very same files."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

BOUNDED = Path(__file__).with_name("bounded.py")
pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="moments are drawn by times from /proc")

COMMON = ["--out", "run", "--checkpoint-every", "0.05"]
TINY = ["--networks", "4", "--keep", "2", "--batch-size", "16"]
SIGNALS = ["--networks", "2", "--keep", "1", "--batch-size", "64", "--optimizer", "adam", "--no-page"]
# Eight kinds of run: what is fitted, and how.
KINDS = {
    "classes": ["iris", *TINY, "--hidden", "6", "--epochs", "300"],
    "measured errors": [
        *["damped_oscillation", *TINY, "--hidden", "6", "--epochs", "150", "--no-page"],
        *["--y-err", "y_err", "--scatter", "constant", "--replicas", "3"],
    ],
    "negative weights": ["events.csv", *TINY, "--target", "y", "--weight", "w", "--hidden", "6", "--epochs", "100"],
    "folds": ["wine", *TINY, "--hidden", "6", "--epochs", "150", "--cv", "3", "--no-page"],
    "dense by XLA": ["wine", *TINY, "--hidden", "6", "--epochs", "100", "--engine", "xla", "--no-page"],
    "images": ["digit_images", *SIGNALS, "--layers", "conv2d:4:3 maxpooling2d:4 flatten", "--epochs", "3"],
    "windows": [
        *["driven_pendulum", *SIGNALS, "--target", "angle", "--window", "8", "--layers", "lstm:4"],
        *["--hidden", "4", "--epochs", "3"],
    ],
    "reconstruction": ["wine", *TINY, "--reconstruct", "--bottleneck", "2", "--epochs", "150"],
}
SHORT = ("classes", "measured errors")
NUMBERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
STOPPED = {signal.SIGTERM: 75, signal.SIGUSR1: 75, signal.SIGINT: 130}


def command(arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", "shoal", *arguments]


@dataclass(frozen=True)
class Reference:
    """An uninterrupted run: its files, and the seconds of the processor that it took."""

    files: dict[str, Any]
    seconds: float


def files(run: Path) -> dict[str, Any]:
    """Return all that is in a run folder, without what is known to differ: when it began, and how long it took."""
    content: dict[str, Any] = {}
    for path in sorted(run.rglob("*")):
        if path.is_file():
            content[str(path.relative_to(run))] = path.read_bytes()
    config = tomllib.loads(content["config.toml"].decode())
    metrics = json.loads(content["metrics.json"])
    content["config.toml"] = {key: config[key] for key in config if key not in ("created", "sha256")}
    content["metrics.json"] = {key: metrics[key] for key in metrics if key != "seconds"}
    if "report.html" in content:
        content["report.html"] = re.sub(rb"<dd>[^<]* (s|min|h)</dd>", b"", content["report.html"])
    return content


def difference(run: Path, expected: dict[str, Any]) -> str | None:
    """Return how a run folder differs from what it should be, or None."""
    got = files(run)
    if got.keys() != expected.keys():
        return f"files: {sorted(got.keys() ^ expected.keys())}"
    other = [name for name in got if got[name] != expected[name]]
    return f"other content: {other}" if other else None


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    except OSError:
        return [pid]


def used(pids: list[int]) -> float:
    """Return the seconds of the processor that processes took."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, IndexError):
            total += sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    return total / os.sysconf("SC_CLK_TCK")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def spent(arguments: list[str], cwd: Path, stop: Callable[[float], int | None]) -> tuple[int, str, float]:
    """Run a command, send the signal that `stop` gives for the seconds so far, and return how it ended.

    Returns:
        The exit code, what it said, and the seconds of the processor; a child that stays behind is a failure.
    """
    with open(cwd / "said", "w+") as said:
        process = subprocess.Popen(command(arguments), cwd=cwd, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        seconds, pids, sent = 0.0, [process.pid], False
        while process.poll() is None:
            pids = sorted({*pids, *family(process.pid)})
            seconds = max(seconds, used(pids))
            number = None if sent else stop(seconds)
            if number is not None:
                process.send_signal(number)
                sent = True
            time.sleep(0.002)
        said.seek(0)
        text = said.read()
    last = time.monotonic() + 10.0
    while left := [pid for pid in pids if alive(pid)]:
        assert time.monotonic() < last, f"processes stayed behind: {left}"
        time.sleep(0.02)
    return process.returncode, text, seconds


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Reference]:
    """Gives the uninterrupted run of a kind."""
    made: dict[str, Reference] = {}

    def of(kind: str) -> Reference:
        if kind not in made:
            folder = tmp_path_factory.mktemp("reference")
            prepare(folder)
            code, text, seconds = spent(["fit", *KINDS[kind], *COMMON], folder, lambda _: None)
            assert code == 0, text
            made[kind] = Reference(files(folder / "run"), seconds)
        return made[kind]

    return of


def prepare(folder: Path) -> None:
    """Write the table with negative weights."""
    drawn = np.random.default_rng(1)
    y = drawn.integers(0, 2, 300)
    x = drawn.normal(y[:, None], 1.0, (300, 3))
    w = np.where(drawn.random(300) < 0.1, -1.0, 1.0)
    lines = [",".join(f"{v:.6f}" for v in row) + f",{'ab'[c]},{m:g}" for row, c, m in zip(x, y, w, strict=True)]
    (folder / "events.csv").write_text("u,v,x,y,w\n" + "\n".join(lines) + "\n")


def killed_and_resumed(kind: str, expected: Reference, folder: Path, draw: random.Random) -> str | None:
    """Kill a run once or several times, go on with it, and return what is wrong with the end, or None."""
    run, kills, tale = folder / "run", draw.choice((1, 1, 2, 3)), []
    prepare(folder)
    while True:
        begun = (run / "config.toml").exists()
        arguments = ["fit", "--resume", "run"] if begun else ["fit", *KINDS[kind], *COMMON]
        number = signal.Signals(draw.choice(NUMBERS)) if kills else None
        moment = draw.uniform(0.0, expected.seconds)
        code, text, _ = spent(arguments, folder, lambda now: number if number and now >= moment else None)  # noqa: B023
        tale.append(f"{arguments[1]} {number and number.name} at {moment:.2f} of {expected.seconds:.2f} s: {code}")
        fault = wrong_end(code, text, number)
        if fault:
            return f"{kind}: {'; '.join(tale)}: {fault}: {text[-600:]}"
        if code == 0 or "is finished; there is nothing" in text:
            break
        kills -= 1
    how = difference(run, expected.files)
    return how and f"{kind}: {'; '.join(tale)}: {how}"


def wrong_end(code: int, text: str, number: signal.Signals | None) -> str | None:
    """Return what is wrong with an exit code and what was said."""
    if "Traceback" in text or "fault of shoal" in text:
        return "a traceback"
    if code == 0 or (code == 2 and "is finished; there is nothing" in text):
        return None
    if number is None:
        return "it was not killed"
    if code == -number:  # before shoal was there, or after its work; SIGKILL at any time
        return None
    if code != STOPPED.get(number):
        return "an exit code of its own"
    return None if any(word in text for word in ("Go on with", "start it again", "interrupted")) else "no word of it"


@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_run_goes_on_to_the_same_files(kind, reference, attacks, tally, tmp_path):
    draw, count = random.Random(f"kills {kind}"), attacks(int(kind in SHORT), 16)
    if not count:
        pytest.skip("in the whole torture")
    for attack in range(count):
        folder = tmp_path / str(attack)
        folder.mkdir()
        tally.count("kills of runs", killed_and_resumed(kind, reference(kind), folder, draw))
    tally.check("kills of runs")


def test_of_two_runs_with_one_folder_the_second_is_refused(reference, attacks, tally, tmp_path):
    draw, expected = random.Random("races"), reference("classes")
    for attack in range(attacks(1, 16)):
        folder = tmp_path / str(attack)
        folder.mkdir()
        tally.count("races of two runs", race(folder, draw.uniform(0.0, 1.0), expected))
    tally.check("races of two runs")


def race(folder: Path, delay: float, expected: Reference) -> str | None:
    """Let two runs want one folder, one a little later, and return what is wrong with how that ended, or None."""
    arguments = ["fit", *KINDS["classes"], *COMMON]
    both = []
    for _ in range(2):
        both.append(subprocess.Popen(command(arguments), cwd=folder, stdout=-1, stderr=subprocess.STDOUT, text=True))
        time.sleep(delay)
    said = [process.communicate()[0] for process in both]
    codes = [process.returncode for process in both]
    if sorted(codes) != [0, 2]:
        return f"exit codes {codes}: {said}"
    refusal = said[codes.index(2)]
    if "is being written by process" not in refusal and "exists and is not empty" not in refusal:
        return refusal
    return difference(folder / "run", expected.files)


def test_what_others_do_while_a_run_is_written_is_refused_in_words(shoal, reference, tally, tmp_path):
    expected = reference("classes")
    writing = subprocess.Popen(command(["fit", *KINDS["classes"], *COMMON]), cwd=tmp_path, stdout=-1, stderr=-1)
    while not (tmp_path / "run" / "config.toml").exists():
        assert writing.poll() is None
        time.sleep(0.01)
    os.kill(writing.pid, signal.SIGSTOP)
    words = (("report", "run"), ("predict", "run", "iris"), ("figures", "run"), ("fit", "--resume", "run"))
    for arguments in (*words, ("fit", "iris", "--out", "run", "--force")):
        ended = shoal(*arguments, cwd=tmp_path)
        fault = ended.fault((2,)) or ("" if "is being written by process" in ended.err else ended.err) or None
        tally.count("commands on a run that is being written", fault)
    ended = shoal("runs", ".", cwd=tmp_path)
    tally.count("commands on a run that is being written", ended.fault((0,)))
    os.kill(writing.pid, signal.SIGCONT)
    writing.communicate()
    tally.count("commands on a run that is being written", difference(tmp_path / "run", expected.files))
    tally.check("commands on a run that is being written")


def test_a_run_whose_disk_is_full_goes_on_when_there_is_space(reference, attacks, tally, tmp_path):
    draw, expected = random.Random("full disks"), reference("classes")
    largest = max(len(content) for content in expected.files.values() if isinstance(content, bytes))
    sizes = [0, 3000, 30000, *(round(largest ** draw.uniform(0.4, 1.0)) for _ in range(37))]
    for size in sizes[1:2] if attacks(1, 0) else sizes:
        folder = tmp_path / str(size)
        folder.mkdir(exist_ok=True)
        tally.count("full disks", full_disk(folder, size, expected))
    tally.check("full disks")


def full_disk(folder: Path, size: int, expected: Reference) -> str | None:
    """Fit where no file may be larger than so many bytes, then without that limit; return what is wrong, or None."""
    arguments = command(["fit", *KINDS["classes"], *COMMON])
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    options: dict[str, Any] = {"cwd": folder, "capture_output": True, "text": True}
    limited = [sys.executable, "-S", str(BOUNDED), f"FSIZE={size}", *arguments]
    full = subprocess.run(limited, env=environment, check=False, **options)
    if full.returncode != 2 or "cannot write" not in full.stderr or "Traceback" in full.stderr:
        return f"at {size} bytes, exit code {full.returncode}: {full.stderr[-600:]}"
    if (folder / "run").exists():
        arguments = command(["fit", "--resume", "run"])
    again = subprocess.run(arguments, check=False, **options)
    if again.returncode:
        return f"at {size} bytes, gone on with, exit code {again.returncode}: {again.stderr[-600:]}"
    how = difference(folder / "run", expected.files)
    return how and f"at {size} bytes: {how}"
