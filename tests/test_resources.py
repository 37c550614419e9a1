"""What a process may use, on machines, in containers and in batch jobs that are made of a few files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shoal import resources
from shoal.errors import SettingError
from shoal.resources import available_cores, available_memory, memory_text, parse_memory

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
MIB, GIB = 2**20, 2**30
FREE = {"proc/meminfo": f"MemTotal: 99 kB\nMemAvailable:   {64 * 2**20} kB\n"}  # 64 GiB


def machine(root: Path, files: dict[str, str]) -> Path:
    """Write the files that a machine shows under `proc` and `sys`."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources.os, "sched_getaffinity", lambda _: {0, 3, 5, 6}, raising=False)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, 4),
        ({"SLURM_CPUS_PER_TASK": "1"}, 1),
        ({"SLURM_CPUS_PER_TASK": ""}, 4),
        ({"SLURM_CPUS_PER_TASK": "many"}, 4),
        ({"SLURM_CPUS_PER_TASK": "100000"}, 4),
        ({"SLURM_CPUS_PER_TASK": "0"}, 4),
        ({"SLURM_CPUS_ON_NODE": "2"}, 2),
        ({"SLURM_CPUS_PER_TASK": "3", "SLURM_CPUS_ON_NODE": "2"}, 3),
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": "3,1"}, 3),
        ({"OMP_NUM_THREADS": "-1"}, 4),
        ({"OMP_NUM_THREADS": "²"}, 4),
        ({"NCPUS": "1"}, 4),
        ({"NCPUS": "1", "PBS_JOBID": "7.head"}, 1),
        ({"NSLOTS": "2", "NHOSTS": "1"}, 2),
        ({"NSLOTS": "2", "NHOSTS": "2"}, 4),
    ],
)
def test_cores_are_those_that_the_scheduler_grants(tmp_path: Path, environ: dict[str, str], expected: int) -> None:
    assert available_cores(environ, tmp_path) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"sys/fs/cgroup/cpu.max": "200000 100000"}, 2),
        ({"sys/fs/cgroup/cpu.max": "150000 100000"}, 2),
        ({"sys/fs/cgroup/cpu.max": "10000 100000"}, 1),
        ({"sys/fs/cgroup/cpu.max": "max 100000"}, 4),
        ({"sys/fs/cgroup/a/cpu.max": "300000 100000", "sys/fs/cgroup/a/b/cpu.max": "max 100000"}, 3),
        ({"sys/fs/cgroup/other/cpu.max": "100000 100000"}, 4),
        ({"sys/fs/cgroup/cpu.max": "nonsense"}, 4),
    ],
)
def test_cores_are_those_of_the_control_group(tmp_path: Path, files: dict[str, str], expected: int) -> None:
    root = machine(tmp_path, {"proc/self/cgroup": "0::/a/b", **files})
    assert available_cores({}, root) == expected


@pytest.mark.parametrize(("quota", "expected"), [("250000", 3), ("-1", 4)])
def test_cores_are_those_of_a_control_group_of_version_one(tmp_path: Path, quota: str, expected: int) -> None:
    group = "sys/fs/cgroup/cpu/jobs"
    files = {f"{group}/cpu.cfs_quota_us": quota, f"{group}/cpu.cfs_period_us": "100000"}
    root = machine(tmp_path, {"proc/self/cgroup": "4:cpuacct,cpu:/jobs\n0::/", **files})
    assert available_cores({}, root) == expected


def test_a_container_shows_its_group_as_the_root(tmp_path: Path) -> None:
    """Its place outside, `/docker/0f3a`, is no folder inside."""
    files = {"proc/self/cgroup": "0::/../docker/0f3a", "sys/fs/cgroup/cpu.max": "100000 100000"}
    assert available_cores({}, machine(tmp_path, files)) == 1


def test_free_memory_is_what_the_system_has_available(tmp_path: Path) -> None:
    assert available_memory({}, machine(tmp_path, FREE)) == 64 * GIB


def group(folder: str, limit: str, used: int, cached: int) -> dict[str, str]:
    stat = f"anon 5\ninactive_file {cached}\nactive_file 7"
    return {f"{folder}/memory.max": limit, f"{folder}/memory.current": str(used), f"{folder}/memory.stat": stat}


def test_a_control_group_leaves_what_is_not_in_use(tmp_path: Path) -> None:
    files = group("sys/fs/cgroup/job/step", str(8 * GIB), used=3 * GIB, cached=GIB)
    root = machine(tmp_path, {**FREE, "proc/self/cgroup": "0::/job/step", **files})
    assert available_memory({}, root) == 6 * GIB  # cached files give way


def test_a_group_around_the_group_may_be_the_limit(tmp_path: Path) -> None:
    inner = group("sys/fs/cgroup/job/step", "max", used=GIB, cached=0)
    outer = group("sys/fs/cgroup/job", str(4 * GIB), used=GIB, cached=0)
    root = machine(tmp_path, {**FREE, "proc/self/cgroup": "0::/job/step", **inner, **outer})
    assert available_memory({}, root) == 3 * GIB


def test_a_control_group_of_version_one_is_asked_too(tmp_path: Path) -> None:
    folder = "sys/fs/cgroup/memory/job"
    files = {
        f"{folder}/memory.limit_in_bytes": str(2 * GIB),
        f"{folder}/memory.usage_in_bytes": str(GIB),
        f"{folder}/memory.stat": f"inactive_file 1\ntotal_inactive_file {GIB // 2}",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str(2**63 - 4096),
        "sys/fs/cgroup/memory/memory.usage_in_bytes": str(GIB),
    }
    root = machine(tmp_path, {**FREE, "proc/self/cgroup": "9:name=systemd:/\n4:memory:/job", **files})
    assert available_memory({}, root) == 2 * GIB - GIB // 2


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"SLURM_MEM_PER_NODE": "4096"}, 4 * GIB),
        ({"SLURM_MEM_PER_NODE": "4G"}, 4 * GIB),
        ({"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_PER_TASK": "2"}, 2 * GIB),
        ({"SLURM_MEM_PER_CPU": "1024", "SLURM_CPUS_ON_NODE": "3", "SLURM_CPUS_PER_TASK": "2"}, 3 * GIB),
        ({"SLURM_MEM_PER_CPU": "1024"}, GIB),
    ],
)
def test_slurm_counts_what_the_process_has_already(tmp_path: Path, environ: dict[str, str], expected: int) -> None:
    root = machine(tmp_path, {**FREE, "proc/self/statm": "5000 1000 1 1 0 1 0"})
    assert available_memory(environ, root) == expected - 1000 * PAGE


@pytest.mark.parametrize("words", ["0", "all", "", "-1"])
def test_slurm_may_set_no_limit(tmp_path: Path, words: str) -> None:
    assert available_memory({"SLURM_MEM_PER_NODE": words}, machine(tmp_path, FREE)) == 64 * GIB


@pytest.mark.parametrize(("limit", "expected"), [(str(4 * GIB), 4 * GIB - 5000 * PAGE), ("unlimited", 64 * GIB)])
def test_the_address_space_may_be_limited(tmp_path: Path, limit: str, expected: int) -> None:
    limits = f"Limit  Soft Limit\nMax address space         {limit}          unlimited            bytes"
    root = machine(tmp_path, {**FREE, "proc/self/limits": limits, "proc/self/statm": "5000 1000 1 1 0 1 0"})
    assert available_memory({}, root) == expected


def test_more_in_use_than_allowed_leaves_nothing(tmp_path: Path) -> None:
    root = machine(tmp_path, {**FREE, "proc/self/statm": f"9 {GIB} 1"})
    assert available_memory({"SLURM_MEM_PER_NODE": "1"}, root) == 0


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ({"SC_AVPHYS_PAGES": 100, "SC_PHYS_PAGES": 300, "SC_PAGE_SIZE": 16384}, 100 * 16384),
        ({"SC_PHYS_PAGES": 300, "SC_PAGE_SIZE": 16384}, 150 * 16384),  # macOS
        ({"SC_PAGE_SIZE": 16384}, resources.UNKNOWN_MEMORY),
    ],
)
def test_a_system_without_proc_is_asked_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: dict[str, int], expected: int
) -> None:
    monkeypatch.setattr(resources.sys, "platform", "darwin")
    monkeypatch.setattr(resources.os, "sysconf_names", pages, raising=False)
    monkeypatch.setattr(resources.os, "sysconf", pages.__getitem__, raising=False)
    assert available_memory({}, tmp_path) == expected


UNITS = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "K": 10**3,
    "G": 10**9,
    "Gi": 2**30,
}


@given(st.integers(1, 10**6), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]), st.data())
def test_a_size_is_a_number_times_its_unit(number: int, unit: str, gap: str, data: st.DataObject) -> None:
    written = data.draw(st.sampled_from([unit, unit.lower(), unit.upper()]))
    assert parse_memory(f"{number}{gap}{written}") == number * UNITS[unit]


@given(st.decimals("0.001", "9999", places=3), st.sampled_from(["kB", "MB", "GB", "TB"]))
def test_decimals_are_exact(number: object, unit: str) -> None:
    whole, _, part = str(number).partition(".")
    assert parse_memory(f"{number}{unit}") == int(whole + part) * UNITS[unit] // 1000


@given(st.integers(1, 10**15))
def test_a_size_as_text_is_read_back_to_three_digits(size: int) -> None:
    text = memory_text(size)
    assert parse_memory(text) == pytest.approx(size, rel=0.005)
    assert memory_text(parse_memory(text)) == text


@pytest.mark.parametrize(
    "text", ["", "4", "GB", "four GB", "-4GB", "0GB", "0.1B", "4PB", "4 G B", "1e9B", "4GBs", "4iB", "٤GB", "inf GB"]
)
def test_nonsense_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(SettingError, match="positive number with a unit, such as 4GB"):
        parse_memory(text)
