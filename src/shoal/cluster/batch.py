"""Scripts for batch systems: an array of jobs of which the first drives a run and the others are its workers."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from shoal.errors import SettingError

WARNING_SECONDS = 120  # before the end of its time, a job is told to leave
_TIME = re.compile(r"(?:(?:\d+-)?\d{1,3}:\d{2}:\d{2}|\d+)")


@dataclass(frozen=True)
class Array:
    """What is asked of a batch system.

    Attributes:
        workers: jobs beside the one that drives.
        run: the run folder, which all jobs must see.
        fit: the words of the command that fits.
        time: the most that each job may take, as `2:00:00`, or minutes; None: the default of the system.
        cores: of each job.
        memory: of each job, such as `4GB`; None: the default of the system.
        partition: or queue; None: the default.
    """

    workers: int
    run: str
    fit: Sequence[str]
    time: str | None = None
    cores: int = 1
    memory: str | None = None
    partition: str | None = None

    def __post_init__(self) -> None:
        if self.time is not None and not _TIME.fullmatch(self.time):
            raise SettingError(f"time: expected hours:minutes:seconds, such as 2:00:00, or minutes, got {self.time!r}")

    @property
    def body(self) -> str:
        """What each job does, once `task` is its number from 0: drive, go on driving, or work."""
        run = shlex.quote(self.run)
        return f"""if [ "$task" -gt 0 ]; then
    exec shoal work {run} --wait 30
elif [ -e {run}/config.toml ]; then
    exec shoal fit --resume {run} --workers 0
else
    exec {shlex.join(self.fit)}
fi
"""


def slurm(array: Array) -> str:
    """Return the script of a job array for SLURM, for `sbatch`.

    Example:
        >>> print(slurm(Array(2, "runs/a", ["shoal", "fit", "iris"], "2:00:00")).splitlines()[2])
        #SBATCH --array=0-2
    """
    lines = [f"#SBATCH --job-name={_name(array)}", f"#SBATCH --array=0-{array.workers}"]
    lines += [f"#SBATCH --cpus-per-task={array.cores}", f"#SBATCH --signal=B:USR1@{WARNING_SECONDS}"]
    lines += [f"#SBATCH --time={array.time}"] if array.time else []
    lines += [f"#SBATCH --mem={_mega(array.memory)}M"] if array.memory else []
    lines += [f"#SBATCH --partition={array.partition}"] if array.partition else []
    return "\n".join(["#!/bin/bash", *lines, "", "task=$SLURM_ARRAY_TASK_ID", array.body])


def pbs(array: Array) -> str:
    """Return the script of a job array for PBS, for `qsub`.

    Example:
        >>> print(pbs(Array(2, "runs/a", ["shoal", "fit", "iris"])).splitlines()[2])
        #PBS -J 0-2
    """
    select = f"select=1:ncpus={array.cores}" + (f":mem={_mega(array.memory)}mb" if array.memory else "")
    lines = [f"#PBS -N {_name(array)}", f"#PBS -J 0-{array.workers}", f"#PBS -l {select}"]
    lines += [f"#PBS -l walltime={_clock(array.time)}"] if array.time else []
    lines += [f"#PBS -q {array.partition}"] if array.partition else []
    start = ['cd "$PBS_O_WORKDIR"', "task=$PBS_ARRAY_INDEX"]
    return "\n".join(["#!/bin/bash", *lines, "", *start, array.body])


def htcondor(array: Array) -> str:
    """Return a description for HTCondor, for `condor_submit`, on machines that share the folder.

    Example:
        >>> print(htcondor(Array(2, "runs/a", ["shoal", "fit", "iris"])).splitlines()[-1])
        queue 3
    """
    script = 'task="$1"\n' + array.body
    lines = ["universe = vanilla", "executable = /bin/bash", "should_transfer_files = NO", "getenv = True"]
    lines += [f'arguments = "-c {_condor(script)} shoal $(Process)"', *_asked(array)]
    run = array.run
    lines += [f"log = {run}.log", f"output = {run}.$(Process).out", f"error = {run}.$(Process).err"]
    return "\n".join([*lines, f"queue {array.workers + 1}"])


def htcondor_transferring(array: Array, lots: Sequence[str]) -> str:
    """Return a description for HTCondor by which each job gets a lot as a file and sends back what it trained.

    Args:
        array: of which time, memory and cores count, and the run folder, on the machine that submits.
        lots: the keys of those that wait in the run folder.
    """
    job = f"{lots[0].partition('-')[0]}.safetensors"
    script = (
        f'mkdir -p work/jobs work/waiting; mv {job} work/jobs; mv "$1" work/waiting; touch work/open; '
        'shoal work . --wait 0 --quiet; mv work/done/"$1" .'
    )
    work = f"{array.run}/work"
    lines = ["universe = vanilla", "executable = /bin/bash", "transfer_executable = False", "getenv = True"]
    lines += ["should_transfer_files = YES", "when_to_transfer_output = ON_EXIT"]
    lines += [f"transfer_input_files = {work}/jobs/{job}, {work}/waiting/$(lot)", "transfer_output_files = $(lot)"]
    lines += [f'transfer_output_remaps = "$(lot) = {work}/done/$(lot)"']
    lines += [f'arguments = "-c {_quoted(script)} shoal $(lot)"', *_asked(array)]
    run = array.run
    lines += [f"log = {run}.log", f"output = {run}.$(Process).out", f"error = {run}.$(Process).err"]
    return "\n".join([*lines, "queue lot from (", *(f"{lot}.safetensors" for lot in lots), ")"])


def _asked(array: Array) -> list[str]:
    lines = ["kill_sig = SIGTERM", f"request_cpus = {array.cores}"]
    lines += [f"request_memory = {_mega(array.memory)}MB"] if array.memory else []
    return lines + ([f"+MaxRuntime = {_seconds(array.time)}"] if array.time else [])


SYSTEMS = {"slurm": (slurm, "sbatch", "sh"), "pbs": (pbs, "qsub", "sh"), "htcondor": (htcondor, "condor_submit", "sub")}
"""How each batch system is told: the script, the command that submits it, and how its file ends."""


def _name(array: Array) -> str:
    return re.sub(r"[^\w.-]", "-", array.run.rstrip("/").rpartition("/")[2])[:15] or "shoal"


def _mega(memory: str | None) -> int:
    from shoal.resources import parse_memory

    return max(1, parse_memory(memory or "0") // 1_000_000)


def _seconds(time: str | None) -> int:
    days, _, clock = (time or "0").rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    seconds = parts[0] * 60 if len(parts) == 1 else parts[0] * 3600 + parts[1] * 60 + parts[2]
    return seconds + 86_400 * int(days or 0)


def _clock(time: str | None) -> str:
    seconds = _seconds(time)
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"


def _condor(script: str) -> str:
    """Return a script as one argument in HTCondor's new syntax, where quotes are doubled and lines end in `;`."""
    line = " ".join(part.strip() for part in script.replace("then\n", "then ").replace("else\n", "else ").splitlines())
    line = re.sub(r"(?<!;) (elif|else|fi)\b", r"; \1", line).replace('task="$1" if', 'task="$1"; if')
    return _quoted(line)


def _quoted(line: str) -> str:
    doubled = line.replace("'", "''").replace('"', '""')
    return f"'{doubled}'"
