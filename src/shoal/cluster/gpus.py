"""The GPUs of this machine, dealt to the processes that train on it, before any of them imports jax."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"
SHARE = "XLA_PYTHON_CLIENT_MEM_FRACTION"  # of a GPU's memory that a process takes when it begins
ALL_SHARES = 0.75  # of all processes of a GPU together, as jax takes it alone


def visible_gpus(environment: Mapping[str, str], devices: str | Path = "/dev") -> list[str]:
    """Return the GPUs that a process may use: those that a batch system or the user names, else all of the machine.

    Example:
        >>> visible_gpus({"CUDA_VISIBLE_DEVICES": "4,6"})
        ['4', '6']
    """
    named = environment.get(VISIBLE)
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    numbers = (path.name.removeprefix("nvidia") for path in Path(devices).glob("nvidia[0-9]*"))
    return sorted((number for number in numbers if number.isdigit()), key=int)


def of_process(number: int, processes: int, gpus: Sequence[str]) -> dict[str, str]:
    """Return what the environment of one of several processes says of GPUs, so that each is used, by few of them.

    Args:
        number: of the process, from 0.
        processes: how many there are.
        gpus: all that may be used; without any, nothing is said.

    Example:
        >>> of_process(0, 2, ["0", "1", "2"]), of_process(1, 2, ["0", "1", "2"])
        ({'CUDA_VISIBLE_DEVICES': '0,2'}, {'CUDA_VISIBLE_DEVICES': '1'})
        >>> of_process(2, 3, ["0"])["XLA_PYTHON_CLIENT_MEM_FRACTION"]
        '0.25'
    """
    if not gpus:
        return {}
    if processes <= len(gpus):
        return {VISIBLE: ",".join(gpus[number::processes])}
    mine = number % len(gpus)
    sharing = len(range(mine, processes, len(gpus)))
    share = {SHARE: f"{ALL_SHARES / sharing:.2g}"} if sharing > 1 else {}
    return {VISIBLE: gpus[mine], **share}
