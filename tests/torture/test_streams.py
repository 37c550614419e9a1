"""Streams that are closed, full or broken off, and environments that are odd: every command ends well."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FIT = ("fit", "iris", "--networks", "2", "--epochs", "3", "--engine", "native", "--no-page", "--force", "--out")
# Commands that print, with what a run is called in them; the short version takes the first of them.
COMMANDS = (
    ("predict", "RUN", "iris"),
    ("datasets", "--json"),
    ("compare", "RUN", "RUN2"),
    ("runs", "."),
    ("report", "RUN"),
    ("describe", "iris"),
    ("evaluate", "RUN", "iris"),
    ("explain", "RUN"),
    ("figures", "RUN", "--only", "best_network", "--force"),
    ("network", "4 8:relu 3:softmax", "--force"),
    ("select", "TWO", "--signal-yield", "10", "--background-yield", "10"),
    ("--help",),
    ("--version",),
    ("fit", "--help"),
)
ENVIRONMENTS: dict[str, dict[str, str]] = {
    "home is a file": {"HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/full", "TMPDIR": "/nowhere"},
    "warnings are errors": {"PYTHONWARNINGS": "error"},
    "backend of Matplotlib": {"MPLBACKEND": "nonsense"},
    "threads": {"OMP_NUM_THREADS": "nonsense"},
    "no threads": {"OMP_NUM_THREADS": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "plain C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "narrow": {"COLUMNS": "1", "TERM": "dumb"},
    "unknown terminal": {"TERM": "nonsense", "COLUMNS": "many", "LINES": "-1"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Runs, one with letters beyond ASCII in its columns, one of two classes."""
    folder = tmp_path_factory.mktemp("runs")
    rows = "".join(f"{i % 7},{i % 5 - 2},{(i % 7) * 0.5 + i % 5}\n" for i in range(60))
    (folder / "größe.csv").write_text(f"größe,Δt,α\n{rows}", encoding="utf-8")
    paged = [word for word in FIT if word != "--no-page"]
    fits = (
        (*paged, "RUN"),
        ("fit", "breast_cancer", *FIT[2:], "TWO"),
        ("fit", "größe.csv", "--target", "α", *FIT[2:], "GREEK"),
    )
    for arguments in fits:
        subprocess.run([sys.executable, "-m", "shoal", *arguments], cwd=folder, capture_output=True, check=True)
    shutil.copytree(folder / "RUN", folder / "RUN2")
    return folder


@contextlib.contextmanager
def broken_pipe() -> Iterator[int]:
    """Give the end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


def through_shell(line: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command by a line of the shell, in which "$@" is the command."""
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "shoal", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace", timeout=300)


def fault_of(code: int, err: str, *, lost: bool, silent: bool = False) -> str | None:
    """Return what is bad about the end of a command whose output is lost or not."""
    if "Traceback" in err or "fault of shoal" in err or "Warning" in err:
        return err[-500:]
    if code not in ((1, 2) if lost else (0,)):
        return f"exit code {code}: {err[-500:]}"
    return None if not lost or silent or "error" in err else f"no word on stderr, exit code {code}"


def test_output_that_is_lost_is_told(shoal, runs, tally, attacks):
    for command in COMMANDS[: attacks(1, len(COMMANDS))]:
        with open("/dev/full", "w") as full:
            ended = shoal(*command, cwd=runs, stdout=full)
        tally.count("standard output full", fault_of(ended.code, ended.err, lost=True))
        closed = through_shell('exec "$@" >&-', *command, cwd=runs)
        tally.count("standard output closed", fault_of(closed.returncode, closed.stderr, lost=True))
        with broken_pipe() as pipe:
            ended = shoal(*command, cwd=runs, stdout=pipe)
        tally.count("pipe broken off", fault_of(ended.code, ended.err, lost=True, silent=True))
    for kind in ("standard output full", "standard output closed", "pipe broken off"):
        tally.check(kind)


def test_messages_that_are_lost_end_nothing(shoal, runs, tally, attacks):
    for command in COMMANDS[: attacks(1, len(COMMANDS))]:
        with open("/dev/full", "w") as full:
            ended = shoal(*command, cwd=runs, stderr=full)
        tally.count("standard error full or closed", fault_of(ended.code, ended.err, lost=False))
        closed = through_shell('exec "$@" 2>&-', *command, cwd=runs)
        tally.count("standard error full or closed", fault_of(closed.returncode, "", lost=False))
    tally.check("standard error full or closed")


def test_a_run_is_kept_whatever_becomes_of_its_lines(shoal, runs, tally, attacks, tmp_path):
    lines = (
        'exec "$@" >/dev/full',
        'exec "$@" 2>/dev/full',
        'exec "$@" >&-',
        'exec "$@" 2>&-',
        'exec "$@" >&- 2>&- <&-',
    )
    for number, line in enumerate(lines[: attacks(2, len(lines))]):
        for more in ((), ("--json",), ("-q",))[: attacks(1, 3)]:
            out = tmp_path / f"run{number}{len(more) and more[0]}"
            ended = through_shell(line, *FIT, str(out), *more, cwd=runs)
            lost = ">/dev/full" in line.replace("2>", "") or ">&-" in line.replace("2>&-", "")
            fault = fault_of(ended.returncode, ended.stderr, lost=lost, silent="2>&-" in line)
            if not (out / "metrics.json").is_file() or (out / "checkpoint").exists():
                fault = f"the run is lost: {ended.stderr[-300:]}"
            if lost and "2>&-" not in line and "finished and kept in" not in ended.stderr:
                fault = f"it does not say where the run is: {ended.stderr[-300:]}"
            tally.count("fits whose lines are lost", fault)
    tally.check("fits whose lines are lost")


def test_odd_environments(shoal, runs, tally, attacks, tmp_path):
    first = [(*FIT, "OUT"), ("predict", "GREEK", "größe.csv", "--force", "-o", str(tmp_path / "p.csv"))]
    environments = list(ENVIRONMENTS.items())
    for number, (name, env) in enumerate(environments[: attacks(4, len(environments))]):
        all_of_them = [*first, *(COMMANDS[(3 * number + i) % len(COMMANDS)] for i in range(3))]
        for command in attacks([first[number % 2]], all_of_them):
            words = (str(tmp_path / f"run-{number}") if word == "OUT" else word for word in command)
            ended = shoal(*words, cwd=runs, env=env)
            refused = name == "plain C" and "PYTHONUTF8=1" in ended.err  # a file name with other letters
            fault = None if refused else fault_of(ended.code, ended.err, lost=False)
            tally.count("odd environments", fault and f"{name}, {' '.join(command)}: {fault}")
    tally.check("odd environments")


def test_letters_that_the_stream_lacks_are_not_lost(shoal, runs, tally):
    env = {"PYTHONIOENCODING": "ascii"}
    described = shoal("describe", "größe.csv", "--json", cwd=runs, env=env)
    assert [column["name"] for column in json.loads(described.out)["columns"]] == ["größe", "Δt", "α"]
    table = shoal("describe", "größe.csv", cwd=runs, env=env)
    assert table.code == 0
    assert r"gr\xf6\xdfe" in table.out
    predicted = shoal("predict", "GREEK", "größe.csv", cwd=runs, env=env)
    assert predicted.out.startswith("größe,Δt,α,prediction,")
    for ended in (described, table, predicted):
        tally.count("letters that the stream lacks", fault_of(ended.code, ended.err, lost=False))
    tally.check("letters that the stream lacks")


def test_a_platform_of_jax_that_is_not_here_is_refused_in_words(shoal, runs, tally, tmp_path):
    arguments = [word if word != "native" else "xla" for word in FIT]
    ended = shoal(*arguments, str(tmp_path / "run"), cwd=runs, env={"JAX_PLATFORMS": "nonsense"})
    assert ended.code == 2
    assert "JAX_PLATFORMS='nonsense'" in ended.err
    tally.count("platforms of jax that are not here", ended.fault())
    tally.check("platforms of jax that are not here")
