"""`shoal submit`: a fit as an array of jobs of a batch system."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Annotated, Any

import typer

from shoal.cli.from_settings import with_settings
from shoal.errors import SettingError
from shoal.setting_panels import WITH_FLAGS
from shoal.settings import check_settings

Data = Annotated[str, typer.Argument(metavar="DATA", help="a file with a table, or the name of a built-in set")]
Workers = Annotated[int | None, typer.Option(min=1, help="jobs that train, beside the one that drives")]
Time = Annotated[str | None, typer.Option("--job-time", metavar="H:M:S", help="the most that each job may take")]
Cores = Annotated[int, typer.Option("--job-cores", min=1, help="cores of each job")]
Memory = Annotated[str | None, typer.Option("--job-memory", metavar="SIZE", help="memory of each job, e.g. 4GB")]
Partition = Annotated[str | None, typer.Option(metavar="NAME", help="partition or queue")]
Now = Annotated[bool, typer.Option("--now", help="submit it, too; else the script is only written")]
Transfer = Annotated[
    bool, typer.Option("--transfer", help="with --htcondor: send networks as files, where no folder is shared")
]
_BATCH = tuple(name for name in WITH_FLAGS if name not in ("workers", "dask", "force"))


@with_settings(_BATCH)
def submit(
    data: Data,
    *,
    settings: dict[str, Any],
    slurm: Workers = None,
    pbs: Workers = None,
    htcondor: Workers = None,
    job_time: Time = None,
    job_cores: Cores = 1,
    job_memory: Memory = None,
    partition: Partition = None,
    transfer: Transfer = False,
    now: Now = False,
) -> None:
    """Write a fit as an array of jobs for SLURM, PBS or HTCondor, on machines that share a folder.

    The first job of the array drives and writes the run, the others train; none of them needs a port or a database.
    Give --out, the folder of the run. When the time of the first job ends, submit the script again: it goes on.
    With --transfer the data are read here, and each job trains some networks that are sent to it; when all have come
    back, the same command once more goes on, to the next round of a search or to the end.
    """
    from shoal.cli.output import print_text
    from shoal.cluster.batch import SYSTEMS, Array, htcondor_transferring
    from shoal.repeating import fit_words
    from shoal.runs.writing import write_atomically

    asked = {name: n for name, n in (("slurm", slurm), ("pbs", pbs), ("htcondor", htcondor)) if n is not None}
    if len(asked) != 1:
        raise SettingError("name one batch system and how many jobs train, e.g. --slurm 16")
    if "out" not in settings:
        raise SettingError("--out is missing: the folder of the run, which all jobs must see, e.g. --out runs/search")
    if (Path(settings["out"]) / "metrics.json").exists():
        raise SettingError(f"--out {settings['out']} holds a finished run; name another folder")
    ((system, workers),) = asked.items()
    if transfer and system != "htcondor":
        raise SettingError("--transfer sends files by HTCondor; name it with --htcondor, or leave --transfer out")
    checked = check_settings({**settings, "workers": 0})
    where = os.path.abspath(data) if Path(data).exists() else data
    run = os.path.abspath(settings["out"])
    write, command, ending = SYSTEMS[system]
    if transfer:
        lots = _posted(where, {**checked.given(), "out": run}, workers)
        if not lots:
            print_text(f"finished: {run}")
            return
        array = Array(len(lots), run, (), job_time, job_cores, job_memory, partition)
        text, jobs = htcondor_transferring(array, lots), f"{len(lots)} jobs that train; then the same command once more"
    else:
        words = fit_words(where, checked, {**checked.given(), "out": run})
        text = write(Array(workers, run, words, job_time, job_cores, job_memory, partition))
        jobs = f"{workers} jobs that train and one that drives"
    script = write_atomically(f"{run}.{ending}", text + "\n")
    print_text(f"script:  {script}, {jobs}")
    if not now:
        print_text(f"submit:  {command} {script}")
        return
    if shutil.which(command) is None:
        raise SettingError(f"--now: there is no {command} here; submit {script} where there is one")
    said = subprocess.run([command, str(script)], capture_output=True, text=True, check=False)
    if said.returncode:
        raise SettingError(f"{command} refused {script}: {said.stderr.strip() or said.stdout.strip()}")
    print_text(said.stdout.strip())


def _posted(data: str, settings: dict[str, Any], jobs: int) -> list[str]:
    """Begin a run or go on with it, until its networks are to be trained, and return the lots; none at its end."""
    from shoal.cli.live import watching
    from shoal.cluster.choice import posting
    from shoal.cluster.shared_folder import NAME, SharedFolder
    from shoal.errors import Interrupted
    from shoal.fit import fit, resume

    run = settings["out"]
    folder = SharedFolder(Path(run) / NAME)
    with watching(quiet=True) as progress, posting(jobs):
        try:
            if (Path(run) / "config.toml").exists():
                resume(run, progress=progress)
            else:
                fit(data, progress=progress, **settings)
        except Interrupted:
            if not folder.keys("waiting"):  # it was the user
                raise
    return folder.keys("waiting")
