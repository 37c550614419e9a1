"""Run folders of which a file is changed: every command gives the answer of the undamaged run, or names the file."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

BOUNDED = Path(__file__).with_name("bounded.py")
TINY: dict[str, Any] = {"networks": 4, "keep": 2, "epochs": 120, "batch_size": 32, "hidden": (6,)}
# What is done with the damaged run `a`, beside which `b` is another on the same data.
COMMANDS = {
    "predict": ["predict", "a", "iris"],
    "evaluate": ["evaluate", "a", "iris", "--json"],
    "compare": ["compare", "a", "b", "--json"],
    "runs": ["runs", ".", "--json"],
    "report": ["report", "a"],
    "figures": ["figures", "a", "--only", "learning_curves,confusion_matrix", "--format", "svg", "--out", "drawn"],
    "resume": ["fit", "--resume", "a", "--quiet"],
}
AT_ONCE = 40
SECONDS, MEMORY = 900, 6 << 30


def flip_bit(path: Path, draw: random.Random, _: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def truncate(path: Path, draw: random.Random, _: Path) -> None:
    path.write_bytes(path.read_bytes()[: draw.randrange(max(1, path.stat().st_size))])


def empty(path: Path, _: random.Random, __: Path) -> None:
    path.write_bytes(b"")


def delete(path: Path, _: random.Random, __: Path) -> None:
    path.unlink()


def blank_block(path: Path, draw: random.Random, _: Path) -> None:
    data = bytearray(path.read_bytes())
    start = draw.randrange(max(1, len(data)))
    data[start : start + 512] = bytes(len(data[start : start + 512]))
    path.write_bytes(data)


def append(path: Path, draw: random.Random, _: Path) -> None:
    path.write_bytes(path.read_bytes() + draw.randbytes(draw.randrange(1, 2000)))


def of_another_run(path: Path, _: random.Random, other: Path) -> None:
    if other.is_file():
        shutil.copy(other, path)
    else:
        path.unlink()


def wrong_value(path: Path, draw: random.Random, _: Path) -> None:
    """Put another value into a place of a JSON document; other files get a bit flipped."""
    if path.suffix != ".json":
        return flip_bit(path, draw, path)
    node: Any = json.loads(path.read_text(encoding="utf-8"))
    document = node
    while True:
        key = draw.choice(list(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], dict | list) or not node[key] or draw.random() < 0.2:
            break
        node = node[key]
    node[key] = draw.choice(["x", -1, None, [], {}, 1e308, float("nan"), True, "\x00", 2**70])
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    return None


def newer_format(path: Path, draw: random.Random, _: Path) -> None:
    if path.suffix == ".sqlite":
        data = bytearray(path.read_bytes())
        data[60:64] = (99).to_bytes(4, "big")  # the user version
        path.write_bytes(data)
    elif path.suffix in (".json", ".toml"):
        text = path.read_text(encoding="utf-8").splitlines(keepends=True)
        at = next(i for i, line in enumerate(text) if "format" in line)
        text[at] = '"format": 99,\n' if path.suffix == ".json" else "format = 99\n"
        path.write_text("".join(text), encoding="utf-8")
    else:
        flip_bit(path, draw, path)


def huge_size(path: Path, draw: random.Random, _: Path) -> None:
    """Declare a safetensors file to be larger than any disk; other files get a bit flipped."""
    if path.suffix != ".safetensors":
        return flip_bit(path, draw, path)
    data = path.read_bytes()
    if draw.random() < 0.5:
        path.write_bytes((1 << draw.randrange(30, 63)).to_bytes(8, "little") + data[8:])
        return None
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    name = draw.choice([key for key in header if key != "__metadata__"])
    header[name]["shape"] = [1 << 40, 1 << 20]
    new = json.dumps(header).encode()
    path.write_bytes(len(new).to_bytes(8, "little") + new + data[8 + length :])
    return None


CHANGES: dict[str, Callable[[Path, random.Random, Path], None]] = {
    change.__name__: change
    for change in (
        *(flip_bit, truncate, empty, delete, blank_block, append),
        *(of_another_run, wrong_value, newer_format, huge_size),
    )
}


def weighty(names: list[str]) -> list[str]:
    """Return the names with those repeated that shoal reads again."""
    return [name for name in names for _ in range(1 if name.startswith("figures/") and "numbers" not in name else 6)]


def work(folder: Path, seed: str, attacks: int) -> None:
    """Make attacks in this process and print each with what is wrong, a line of JSON each."""
    draw = random.Random(seed)
    expected: dict[str, tuple[int, str, Any]] = {}
    for _ in range(attacks):
        name = draw.choice(list(COMMANDS))
        source = folder / ("unfinished" if name == "resume" else "finished")
        victim = draw.choice(weighty(sorted(str(p.relative_to(source)) for p in source.rglob("*") if p.is_file())))
        change = draw.choice(list(CHANGES))
        if name not in expected:
            expected[name] = answer(folder, source, name, lambda _: None)
            assert expected[name][0] == 0, expected[name]
        got = answer(folder, source, name, lambda a: CHANGES[change](a / victim, draw, folder / "b" / victim))  # noqa: B023
        print(json.dumps([f"{name}, {change} of {victim}", fault(Path(victim).name, got, expected[name])]), flush=True)


def answer(folder: Path, source: Path, name: str, damage: Callable[[Path], None]) -> tuple[int, str, Any]:
    """Run a command on a damaged copy of a run; return the exit code, what was said on stderr, and the answer."""
    import contextlib
    import os

    from typer.testing import CliRunner

    from shoal.cli.app import app

    place = folder / "place"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place / "a")
    shutil.copytree(folder / "b", place / "b")
    damage(place / "a")
    os.chdir(place)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = CliRunner().invoke(app, COMMANDS[name])
    gained: Any = result.stdout
    if name == "figures":
        gained = {p.name: p.read_bytes() for p in sorted((place / "drawn").glob("*.svg"))}
    if name == "resume" and result.exit_code == 0:
        with contextlib.suppress(OSError, ValueError):
            metrics = json.loads((place / "a" / "metrics.json").read_text())
            gained = {key: value for key, value in metrics.items() if key != "seconds"}
    return result.exit_code, result.stderr, gained


def fault(victim: str, got: tuple[int, str, Any], expected: tuple[int, str, Any]) -> str | None:
    """Return what is bad about an answer, or None."""
    code, said, answered = got
    if "Traceback" in said or "fault of shoal" in said:
        return said[-600:]
    if code == 0 and answered == expected[2]:
        return None
    named = victim in said or victim.startswith("arrays-") or "is not finished" in said or "is not a run" in said
    if (code == 2 and "error" in said and named) or (code == 0 and "is left out" in said and named):
        return None
    return f"exit code {code}, another answer: {said[-600:]} {str(answered)[:300]}"


class CtrlC:
    """Presses Ctrl-C after two chunks."""

    chunks = 2

    def stage(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def warn(self, text: str) -> None: ...

    def training(self, **news: Any) -> None:
        self.chunks -= 1
        if self.chunks == 0:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run, an unfinished one, and another finished one on the same data."""
    import shoal

    root = tmp_path_factory.mktemp("folders")
    shoal.fit("iris", out=str(root / "finished"), **TINY)
    shoal.fit("iris", out=str(root / "b"), page=False, **{**TINY, "hidden": (4,)})
    with pytest.raises(shoal.Interrupted):
        shoal.fit("iris", out=str(root / "unfinished"), page=False, progress=CtrlC(), checkpoint_every=1e-3, **TINY)
    return root


def test_a_changed_file_is_named_or_does_no_harm(folders, attacks, tally):
    left = attacks(25, 600)
    while left > 0:
        some = min(AT_ONCE, left)
        left -= some
        words = [sys.executable, __file__, str(folders), f"folders {left}", str(some)]
        words = [sys.executable, "-S", str(BOUNDED), f"AS={MEMORY}", *words]
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
        made = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        for attack, wrong in made:
            tally.count("changed files of run folders", wrong and f"{attack}: {wrong}")
        if len(made) < some:
            tally.count("changed files of run folders", f"the process died: {done.stderr[-800:]}")
    tally.check("changed files of run folders")


if __name__ == "__main__":
    work(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
