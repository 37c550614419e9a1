"""`shoal evolve` and `shoal export` of its folder, as people call them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shoal.cli import main

SMALL = ["--network", "4 3:tanh 1", "--population", "32", "--generations", "10"]


def test_a_run_gets_a_folder_that_can_be_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evolve", "cart-pole", *SMALL]) == 0
    said = capsys.readouterr()
    assert "of 1,000 unseen starts" in said.out
    assert "page: runs/cart-pole-1/report.html" in said.out
    assert "generation 5: median" in said.err
    assert main(["export", "runs/cart-pole-1", "pole.py"]) == 0
    assert "it agrees with shoal" in capsys.readouterr().out
    assert main(["export", "runs/cart-pole-1", "pole.onnx"]) == 2
    assert main(["export", "runs/cart-pole-1", "pole.c", "--fixed"]) == 2
    assert "--fixed are for runs of `shoal fit`" in " ".join(capsys.readouterr().err.split())
    assert main(["runs"]) == 0
    assert "is of `shoal evolve`" in capsys.readouterr().err


def test_scripts_get_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evolve", "orbit", "--generations", "1", "--quiet", "--json", "-o", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert json.loads(said.out)["champions"][0]["test"]["starts"] == 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evolve", "cart-poll"], "Did you mean 'cart-pole'"),
        (["evolve", "arm", "--network", "4 1"], "Write '6 16:tanh 2'"),
        (["evolve", "arm", "--algorithm", "genetics"], "Did you mean 'genetic'"),
    ],
)
def test_mistakes_are_told_and_leave_no_folder(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert not list((tmp_path / "runs").glob("*"))
