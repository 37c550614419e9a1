"""What is installed holds all that shoal needs, and what stands about it in several places agrees."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import shoal
from shoal.training.engines.native.library import INSTRUCTION_SETS

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "shoal"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Build a wheel of a copy of the source, and return the names in it."""
    pytest.importorskip("setuptools", minversion="77")
    copy = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT / "src", copy / "src", ignore=shutil.ignore_patterns("*.so", "__pycache__", "*.egg-info"))
    for name in ("README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(ROOT / name, copy)
    # Nothing runs the kernel of this wheel, so it is compiled quickly; and that it cannot be is said.
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for there, here in {"-O2": "-O1", "optional = true": "optional = false"}.items():
        assert there in settings
        settings = settings.replace(there, here)
    (copy / "pyproject.toml").write_text(settings, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "-w",
        "made",
        ".",
    ]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = (copy / "made").glob("shoal-*.whl")
    return set(zipfile.ZipFile(made).namelist())


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("c++") is None, reason="there is no C++ compiler")
def test_the_wheel_holds_the_kernel_and_all_but_its_source(wheel: set[str]) -> None:
    libraries = {name.split(".")[0] for name in wheel if name.startswith("shoal/training/engines/native/_kernel")}
    parts = ("", *(f"_{name}" for name in INSTRUCTION_SETS))
    assert libraries == {f"shoal/training/engines/native/_kernel{part}" for part in parts}
    kept = {".py", ".html", ".css", ".js", ".svg", ".typed", ".bib"}
    files = {f"shoal/{path.relative_to(SOURCE).as_posix()}" for path in SOURCE.rglob("*") if path.suffix in kept}
    assert "shoal/py.typed" in files
    assert "shoal/report/templates/page.html" in files
    assert files - wheel == set()
    others = {name for name in wheel - files if ".dist-info/" not in name}
    assert {name.split(".")[0] for name in others} == libraries, others


def test_the_citation_agrees_with_the_project() -> None:
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    assert said["cff-version"] == "1.2.0"
    assert said["version"] == shoal.__version__
    assert (said["title"], said["license"]) == (PROJECT["name"], PROJECT["license"])
    assert [{"name": said["  - name"]}] == PROJECT["authors"]
