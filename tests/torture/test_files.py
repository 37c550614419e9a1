"""Files that are damaged, odd or made to do harm, over all readers, under limits of memory and time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BOUNDED = Path(__file__).with_name("bounded.py")
MEMORY = 3 << 30
READER = Path(__file__).with_name("read_files.py")
MAKER = Path(__file__).with_name("odd_files.py")


def made(*arguments: object) -> list[str]:
    """Return the paths of files that `odd_files.py` makes."""
    said = subprocess.run(
        [sys.executable, str(MAKER), *map(str, arguments)], capture_output=True, text=True, check=True
    )
    paths: list[str] = json.loads(said.stdout)
    return paths


def read_all(paths: list[str], listed: Path) -> dict[str, str | None]:
    """Return how the reading of each file ended: None is well."""
    ends: dict[str, str | None] = {}
    waiting = paths
    while waiting:
        listed.write_text(json.dumps(waiting))
        said = _process(listed)
        begun = [line["begins"] for line in said if "begins" in line]
        ends |= {line["ended"]: line["fault"] for line in said if "ended" in line}
        if begun[-1:] and begun[-1] not in ends:
            ends[begun[-1]] = "the process died, or took too long"
        assert any(path in ends for path in waiting), "the reader did not start"
        waiting = [path for path in waiting if path not in ends]
    return ends


def _process(listed: Path) -> list[dict[str, str | None]]:
    command = [sys.executable, "-S", str(BOUNDED), f"AS={MEMORY},CORE=0", sys.executable, str(READER), str(listed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        out, _ = process.communicate()
    return [json.loads(line) for line in out.splitlines() if line.startswith("{") and line.endswith("}")]


def test_changed_files_become_a_dataset_or_an_error(tmp_path, tally, attacks):
    ends = read_all(made("changed", tmp_path, attacks(110, 1100), 17), tmp_path / "list")
    for path, fault in ends.items():
        tally.count("changed files, read", fault and f"{Path(path).name}: {fault}")
    tally.check("changed files, read")


def test_odd_files_become_a_dataset_or_an_error(tmp_path, tally, attacks):
    ends = read_all(made("odd", tmp_path, attacks("short", "full")), tmp_path / "list")
    for path, fault in ends.items():
        tally.count("odd files, read", fault and f"{Path(path).name!r}: {fault}")
    tally.check("odd files, read")


@pytest.mark.parametrize("command", ["describe", "fit"])
def test_commands_end_well_on_changed_files(command, tmp_path, tally, attacks, shoal):
    count = attacks(4, 110) if command == "describe" else attacks(2, 44)
    formats = 44
    files = made("changed", tmp_path, formats + count, 18)[formats:]  # behind those without content
    more = ["--networks", "1", "--epochs", "2", "--engine", "native", "--no-page"] if command == "fit" else []
    for number, path in enumerate(files):
        out = ["--out", str(tmp_path / f"run-{number}")] if command == "fit" else []
        ended = shoal(command, path, *more, *out, cwd=tmp_path, memory=6 << 30)
        fault = ended.fault()
        tally.count(f"changed files, shoal {command}", fault and f"{Path(path).name}: {fault}")
    tally.check(f"changed files, shoal {command}")
