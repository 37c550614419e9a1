"""What this process may use: cores and memory, as the system and the scheduler of a cluster say.

Nothing here computes or allocates. Each function takes the environment and the root folder that it reads, so that
a test can hand in those of another machine.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from shoal.errors import SettingError

MEGA = 1_000_000
UNKNOWN_MEMORY = 4_000 * MEGA  # where nothing tells: what any machine of today has
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SIZE = re.compile(r"(\d+\.?\d*|\.\d+)\s*(?:([kmgt])(i?)b?|b)", re.IGNORECASE | re.ASCII)
# what schedulers and OpenMP set for a process on one node; HTCondor and PBS set OMP_NUM_THREADS
_CORE_VARIABLES = ("SLURM_CPUS_PER_TASK", "OMP_NUM_THREADS")


def available_cores(environ: Mapping[str, str] | None = None, root: Path = Path("/")) -> int:
    """Return the cores that this process may use, the fewest that anyone says.

    Asked are the system (affinity), the control groups of a container or batch job, Slurm, PBS, Grid Engine and
    `OMP_NUM_THREADS`; a part of a core counts as one, and what is no positive number is not heard.

    Args:
        environ: environment variables; by default those of this process.
        root: folder under which `proc` and `sys` are read.

    Example:
        >>> available_cores({"SLURM_CPUS_PER_TASK": "1"})
        1
    """
    environ = os.environ if environ is None else environ
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([allowed, *_granted(environ), *_quotas(root)]))


def one_blas_thread() -> Any:
    """Return a context in which NumPy's products take one thread.

    Evaluation has many small ones, whose threads wait for each other longer than they work: the distances of 200,000
    rows took 3.3 s of two cores, where one needs 0.4 s.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    return threadpool_limits(1, user_api="blas")


def _granted(environ: Mapping[str, str]) -> Iterator[int]:
    """Give the cores that the environment grants."""
    names = [*_CORE_VARIABLES]
    if "SLURM_CPUS_PER_TASK" not in environ:
        names.append("SLURM_CPUS_ON_NODE")
    if "PBS_JOBID" in environ:
        names.append("NCPUS")  # also a plain word: only PBS means the cores of a job by it
    if environ.get("NHOSTS") == "1":
        names.append("NSLOTS")  # Grid Engine counts the cores of all hosts together
    for name in names:
        first = environ.get(name, "").split(",")[0].strip()  # OpenMP lists a number for each level of nesting
        if first.isdecimal() and int(first) > 0:
            yield int(first)


def _quotas(root: Path) -> Iterator[int]:
    """Give the cores that each control group around this process grants, parts rounded up."""
    for folder in _control_groups(root, "cpu"):
        quota, _, period = _text(folder / "cpu.max").partition(" ")
        if not quota:  # the first version of control groups
            quota, period = _text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us")
        if quota.isdecimal() and period.isdecimal() and int(period) > 0:  # "max" and -1 set no limit
            yield math.ceil(int(quota) / int(period))


def _control_groups(root: Path, controller: str) -> Iterator[Path]:
    """Give the folders of the control groups around this process, innermost first; some may not exist.

    A container often shows its own group as the root of the tree and still names it by its place outside.
    """
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            trees = [root / "sys/fs/cgroup" / controller]
        elif not controllers:
            trees = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for tree in trees:
            yield from (tree.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1))


def available_memory(environ: Mapping[str, str] | None = None, root: Path = Path("/")) -> int:
    """Return the bytes of memory that this process may still take, the least that anyone says.

    Asked are the system (`/proc/meminfo`), the control groups of a container or batch job, Slurm and the limit of
    the address space (`ulimit -v`). Systems without `/proc` are asked by `_system_memory`.

    Args:
        environ: environment variables; by default those of this process.
        root: folder under which `proc` and `sys` are read.

    Example:
        >>> available_memory() > 0
        True
    """
    environ = os.environ if environ is None else environ
    free = _field(_text(root / "proc/meminfo"), "MemAvailable:")
    system = _system_memory() if free is None else 1024 * free
    size, resident = _own_memory(root)
    limits = [system, *_group_memory(root)]
    limits += [limit - resident for limit in _slurm_memory(environ)]
    limits += [limit - size for limit in _address_space(root)]
    return max(0, min(limits))


def _group_memory(root: Path) -> Iterator[int]:
    """Give what each control group around this process has left; files that it merely caches count as free."""
    for folder in _control_groups(root, "memory"):
        for limit_file, used_file, cache in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            limit, used = _text(folder / limit_file), _text(folder / used_file)
            if limit.isdecimal() and used.isdecimal():
                cached = _field(_text(folder / "memory.stat"), cache) or 0
                yield int(limit) - max(0, int(used) - cached)


def _slurm_memory(environ: Mapping[str, str]) -> Iterator[int]:
    """Give the memory that Slurm grants on this node; 0 means all of it and sets no limit."""
    per_node = _slurm_size(environ.get("SLURM_MEM_PER_NODE", ""))
    per_core = _slurm_size(environ.get("SLURM_MEM_PER_CPU", ""))
    count = environ.get("SLURM_CPUS_ON_NODE") or environ.get("SLURM_CPUS_PER_TASK", "")
    cores = int(count) if count.isdecimal() else 1
    yield from (size for size in (per_node, per_core * max(1, cores)) if size > 0)


def _slurm_size(text: str) -> int:
    """Return bytes from Slurm's binary megabytes, or another of its units where a letter follows; else 0."""
    match = re.fullmatch(r"(\d+)([KMGT]?)", text.strip().upper(), re.ASCII)
    return 0 if match is None else int(match[1]) * 1024 ** _UNITS[match[2].lower() or "m"]


def _address_space(root: Path) -> Iterator[int]:
    """Give the limit of the address space, if there is one."""
    limit = re.search(r"^Max address space\s+(\d+)", _text(root / "proc/self/limits"), re.MULTILINE)
    if limit:
        yield int(limit[1])


def _own_memory(root: Path) -> tuple[int, int]:
    """Return the address space and the memory that this process has taken, in bytes; 0 where nothing tells."""
    pages = _text(root / "proc/self/statm").split()
    if len(pages) < 2:
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    return int(pages[0]) * page, int(pages[1]) * page


def resident(root: Path = Path("/")) -> int:
    """Return the bytes of memory that this process holds now; 0 where nothing tells.

    Example:
        >>> resident() >= 0
        True
    """
    return _own_memory(root)[1]


def keep_small() -> None:
    """Let the C library give back what is freed, here and from now on, rather than keep it for each thread.

    That of Linux alone is asked (mallopt(3)); allocating large arrays becomes a little slower.
    """
    if sys.platform != "linux":
        return
    import ctypes

    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt") and hasattr(library, "malloc_trim"):
        for option, value in _GIVING_BACK.items():
            library.mallopt(option, value)
        library.malloc_trim(0)


_GIVING_BACK = {-8: 1, -3: 1 << 20, -1: 1 << 17}
"""M_ARENA_MAX, M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of mallopt: one heap for all threads, arrays by themselves."""


def _system_memory() -> int:
    """Return the free memory of a system without `/proc`.

    Windows tells it. macOS tells only how much is built in, of which half is taken as free. Any other system is
    taken to have 4 GB.
    """
    if sys.platform == "win32":
        return _windows_memory()
    names = getattr(os, "sysconf_names", {})
    for name, share in (("SC_AVPHYS_PAGES", 1.0), ("SC_PHYS_PAGES", 0.5)):
        pages = os.sysconf(name) if name in names else -1
        if pages > 0:
            return int(share * pages) * os.sysconf("SC_PAGE_SIZE")
    return UNKNOWN_MEMORY


def _windows_memory() -> int:
    """Return the free physical memory by `GlobalMemoryStatusEx`."""
    import ctypes

    # length and load as 32 bits, then seven counts of bytes, the second of them the free physical memory
    status = (ctypes.c_uint64 * 8)(64)
    kernel = ctypes.CDLL("kernel32")
    return int(status[2]) if kernel.GlobalMemoryStatusEx(ctypes.byref(status)) else UNKNOWN_MEMORY


def _text(path: Path) -> str:
    """Return a small file without its last newline; empty if it cannot be read."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _field(text: str, name: str) -> int | None:
    """Return the number behind a name that stands at the beginning of a line."""
    match = re.search(rf"^{re.escape(name)}\s+(\d+)", text, re.MULTILINE)
    return int(match[1]) if match else None


def parse_memory(text: str) -> int:
    """Return the bytes that a size of memory such as `"4GB"` means.

    Units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024), in any case; the B may be
    left out behind a letter.

    Args:
        text: a positive number and a unit.

    Raises:
        SettingError: the text is no such size.

    Example:
        >>> parse_memory("4GB"), parse_memory("1.5 gib"), parse_memory("512M")
        (4000000000, 1610612736, 512000000)
    """
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match:
        base = 1024 if match[3] else 1000
        size = int(Decimal(match[1]) * base ** _UNITS[(match[2] or "").lower()])
    if size < 1:
        raise SettingError(f"memory must be a positive number with a unit, such as 4GB, 512MB or 1.5GiB; got {text!r}")
    return size


def memory_text(size: float) -> str:
    """Return a number of bytes as people write it, to three digits.

    Example:
        >>> memory_text(999), memory_text(4_200_000_000), memory_text(999_999)
        ('999 B', '4.2 GB', '1 MB')
    """
    units = ("B", "kB", "MB", "GB", "TB")
    power = 0
    while float(f"{size:.3g}") >= 1000.0 and power < len(units) - 1:
        size, power = size / 1000.0, power + 1
    return f"{float(f'{size:.3g}'):.10g} {units[power]}"
