"""Scripts of batch systems: what they say, and what they do when processes stand in for the jobs of an array."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shoal.cli import main
from shoal.cluster.batch import SYSTEMS, Array, htcondor_transferring, pbs, slurm
from shoal.errors import SettingError

ARRAY = Array(3, "/data/runs/it's", ["shoal", "fit", "my file.csv"], "1-02:30:00", 4, "2GB", "long")


def test_slurm_is_told_what_was_asked_for() -> None:
    script = slurm(ARRAY).splitlines()
    assert script[0] == "#!/bin/bash"
    told = dict(line.removeprefix("#SBATCH --").split("=", 1) for line in script if line.startswith("#SBATCH"))
    assert told == {
        "job-name": "it-s", "array": "0-3", "cpus-per-task": "4", "signal": "B:USR1@120", "time": "1-02:30:00",
        "mem": "2000M", "partition": "long",
    }  # fmt: skip


def test_pbs_is_told_what_was_asked_for() -> None:
    script = pbs(ARRAY)
    assert "#PBS -J 0-3" in script
    assert "#PBS -l select=1:ncpus=4:mem=2000mb" in script
    assert "#PBS -l walltime=26:30:00" in script


@pytest.mark.parametrize("time", ["2h", "1:2", "-5", "", "1:00:00:00"])
def test_times_that_no_system_knows_are_refused(time: str) -> None:
    with pytest.raises(SettingError, match="hours:minutes:seconds"):
        Array(1, "r", ["shoal"], time)


@pytest.mark.parametrize("system", SYSTEMS)
def test_each_job_of_an_array_does_its_part(system: str, tmp_path: Path) -> None:
    """The jobs run with a `shoal` that prints its words, in every state of the run folder."""
    shoal = tmp_path / "bin" / "shoal"
    shoal.parent.mkdir()
    shoal.write_text('#!/bin/sh\nfor word in "$@"; do printf "<%s>" "$word"; done\n')
    shoal.chmod(0o755)
    run = tmp_path / "it's a run"
    array = Array(2, str(run), ["shoal", "fit", "my 'file'.csv", "--where", 'x > "1"'])

    def job(number: int) -> str:
        text = SYSTEMS[system][0](array)
        environment = {**os.environ, "PATH": f"{shoal.parent}:{os.environ['PATH']}", "PBS_O_WORKDIR": str(tmp_path)}
        environment |= {"SLURM_ARRAY_TASK_ID": str(number), "PBS_ARRAY_INDEX": str(number)}
        command = ["bash", "-c", text] if system != "htcondor" else ["bash", *condor_words(text, number)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert not done.stderr
        return done.stdout

    assert job(0) == """<fit><my 'file'.csv><--where><x > "1">"""
    assert job(1) == job(2) == f"<work><{run}><--wait><30>"
    run.mkdir()
    (run / "config.toml").touch()
    assert job(0) == f"<fit><--resume><{run}><--workers><0>"


def condor_words(description: str, process: int) -> list[str]:
    """Return the arguments as HTCondor takes them apart: quotes in it are doubled, spaces separate words."""
    (line,) = re.findall(r'^arguments = "(.*)"$', description, re.MULTILINE)
    words, word, quoted = [], "", False
    text = line.replace('""', '"').replace("$(Process)", str(process))
    place = 0
    while place < len(text):
        here = text[place]
        if here == "'" and quoted and text[place + 1 : place + 2] == "'":
            word, place = word + "'", place + 1
        elif here == "'":
            quoted = not quoted
        elif here == " " and not quoted:
            words, word = [*words, word], ""
        else:
            word += here
        place += 1
    return [*words, word]


def shoal(*words: str, cwd: Path, code: int = 0) -> str:
    said = io.StringIO()
    with contextlib.chdir(cwd), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        assert main(words) == code, said.getvalue()
    return said.getvalue()


@pytest.mark.slow
def test_an_array_fits_as_one_process_does(tmp_path: Path) -> None:
    shoal("fit", "iris", "--networks", "6", "--epochs", "5", "--out", "alone", "--no-page", "-q", cwd=tmp_path)
    options = ("--networks", "6", "--epochs", "5", "--no-page", "--out", "run")
    told = shoal("submit", "iris", *options, "--slurm", "2", "--job-time", "0:10:00", cwd=tmp_path)
    assert "submit:  sbatch" in told
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    jobs = [
        subprocess.Popen(
            ["bash", "run.sh"], cwd=tmp_path, env={**os.environ, "SLURM_ARRAY_TASK_ID": str(task), "PATH": path}
        )
        for task in range(3)
    ]
    assert [job.wait(timeout=120) for job in jobs] == [0, 0, 0]
    for name in ("model/model.json", "scored.safetensors"):
        assert (tmp_path / "run" / name).read_bytes() == (tmp_path / "alone" / name).read_bytes()
    assert "is finished" in shoal("status", "run", cwd=tmp_path)
    assert "holds a finished run" in shoal("submit", "iris", *options, "--slurm", "2", cwd=tmp_path, code=2)


def run_transferred(description: str, folder: Path, programs: Path) -> None:
    """Do what HTCondor does with files: give each job a folder of its own, and fetch what it left."""
    told = dict(line.split(" = ", 1) for line in description.splitlines() if " = " in line)
    lots = description.partition("queue lot from (")[2].split()[:-1]
    for number, lot in enumerate(lots):
        scratch = folder / f"scratch-{number}"
        scratch.mkdir(parents=True)
        for path in told["transfer_input_files"].replace("$(lot)", lot).split(", "):
            shutil.copy(path, scratch)
        words = [word.replace("$(lot)", lot) for word in condor_words(description, number)]
        path = os.pathsep.join([str(programs), os.environ["PATH"]])
        subprocess.run(["bash", *words], cwd=scratch, env={**os.environ, "PATH": path}, check=True, timeout=60)
        name, _, goal = told["transfer_output_remaps"].strip('"').replace("$(lot)", lot).partition(" = ")
        shutil.move(scratch / name, goal)


def test_a_job_gets_a_lot_and_sends_back_what_it_left(tmp_path: Path) -> None:
    """The jobs run with a `shoal` that leaves the lot itself, in folders of their own."""
    shoal, run = tmp_path / "bin" / "shoal", tmp_path / "it's a run"
    shoal.parent.mkdir()
    does = "test -e work/open && test -e work/jobs/a.safetensors && mkdir work/done && mv work/waiting/* work/done"
    shoal.write_text(f"#!/bin/sh\n{does}\n")
    shoal.chmod(0o755)
    for kind, name in (("jobs", "a"), ("waiting", "a-1"), ("waiting", "a-2"), ("done", "")):
        (run / "work" / kind).mkdir(parents=True, exist_ok=True)
        if name:
            (run / "work" / kind / f"{name}.safetensors").write_text(name)
    description = htcondor_transferring(Array(2, str(run), (), memory="2GB"), ["a-1", "a-2"])
    assert "request_memory = 2000MB" in description
    run_transferred(description, tmp_path, shoal.parent)
    assert [(run / "work" / "done" / f"{name}.safetensors").read_text() for name in ("a-1", "a-2")] == ["a-1", "a-2"]


@pytest.mark.slow
def test_a_run_without_its_driver_is_gathered(tmp_path: Path) -> None:
    options = ("--networks", "4", "--epochs", "3000", "--patience", "3000", "--no-page", "--out", "run", "-q")
    driver = subprocess.Popen([sys.executable, "-m", "shoal", "fit", "iris", *options, "--workers", "0"], cwd=tmp_path)
    while not list((tmp_path / "run" / "work" / "waiting").glob("[!.]*.safetensors")):
        assert driver.poll() is None
    driver.kill()
    driver.wait()
    told = json.loads(shoal("status", "run", "--json", cwd=tmp_path))
    assert (told["finished"], told["in_training"], told["waiting"] > 0) == (False, {}, True)
    assert "nobody trains" in shoal("status", "run", cwd=tmp_path)
    shoal("gather", "run", "-q", cwd=tmp_path)
    assert (tmp_path / "run" / "metrics.json").exists()
    assert not (tmp_path / "run" / "work").exists()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert "name one batch system" in shoal("submit", "iris", "--out", "r", cwd=tmp_path, code=2)
    assert "--out is missing" in shoal("submit", "iris", "--slurm", "2", cwd=tmp_path, code=2)
    both = shoal("fit", "iris", "--workers", "1", "--dask", "local", cwd=tmp_path, code=2)
    assert "leave one of them out" in both
    assert not list(tmp_path.iterdir())
