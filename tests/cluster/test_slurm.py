"""A real SLURM of one machine runs the array: to its end, and again after its time was over."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

TOOLS = ("slurmctld", "slurmd", "munged", "sbatch")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, TOOLS)) or not hasattr(os, "geteuid") or os.geteuid() != 0,
        reason="needs SLURM (slurm-wlm, munge) and root",
    ),
]
FIT = ("iris", "--networks", "6", "--no-page", "--out", "run")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("slurm")
    for part in (folder, *folder.parents):  # munge refuses a folder that others may change
        if part.owner() == "root" and part.stat().st_mode & 0o022 and not part.stat().st_mode & 0o1000:
            part.chmod(0o755)
    subprocess.run(["bash", str(Path(__file__).with_name("slurm.sh")), str(folder)], check=True, timeout=60)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    yield {**os.environ, "SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
    for pid in ("slurmd.pid", "slurmctld.pid", "munge/pid"):
        os.kill(int((folder / pid).read_text()), signal.SIGTERM)


def shoal(environment: dict[str, str], cwd: Path, *words: str) -> str:
    command = [sys.executable, "-m", "shoal", *words]
    return subprocess.run(command, env=environment, cwd=cwd, check=True, capture_output=True, text=True).stdout


def wait(environment: dict[str, str], ready: Path | None = None) -> None:
    """Wait until no job is left, or a file is there."""
    for _ in range(1200):
        left = subprocess.run(["squeue", "-h"], env=environment, capture_output=True, text=True, check=True).stdout
        if ready.exists() if ready else not left:
            return
        time.sleep(0.2)
    raise AssertionError(left)


def test_an_array_gives_what_one_process_gives(environment: dict[str, str], tmp_path: Path) -> None:
    shoal(environment, tmp_path, "fit", *FIT[:-1], "alone", "--epochs", "5")
    assert "Submitted" in shoal(environment, tmp_path, "submit", *FIT, "--epochs", "5", "--slurm", "2", "--now")
    wait(environment)
    for name in ("model/model.json", "scored.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()


def test_jobs_whose_time_is_over_lose_nothing(environment: dict[str, str], tmp_path: Path) -> None:
    long = ("--epochs", "4000", "--patience", "4000", "--slurm", "2", "--now")
    shoal(environment, tmp_path, "submit", *FIT, *long)
    wait(environment, tmp_path / "run" / "work" / "taken")
    subprocess.run(["scancel", "--signal=USR1", "--batch", "--user=root"], env=environment, check=True)
    wait(environment)
    assert not (tmp_path / "run" / "metrics.json").exists()
    subprocess.run(["sbatch", "run.sh"], env=environment, cwd=tmp_path, check=True, capture_output=True)
    wait(environment)
    assert (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run" / "work").exists()
