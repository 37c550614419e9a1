"""Exported C on an emulated Cortex-M3: it says there what shoal says, and how much memory it takes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

import shoal

HERE = Path(__file__).parent / "cortex_m"
TOOLS = ("arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]
BUILD = [TOOLS[0], "-mcpu=cortex-m3", "-mthumb", "-Os", "-ffunction-sections", "-fdata-sections", "-nostartfiles",
         f"-T{HERE / 'mps2.ld'}", "-Wl,--gc-sections", str(HERE / "start.c")]  # fmt: skip
EMULATE = [TOOLS[2], "-M", "mps2-an385", "-nographic", "-semihosting-config", "enable=on,target=native", "-kernel"]
ALONE = """#include "iris.h"
static float work[IRIS_WORK];
static iris_answer answer;
volatile float row[IRIS_INPUTS], said;
int main(void)
{
    float x[IRIS_INPUTS];
    for (int i = 0; i < IRIS_INPUTS; ++i)
        x[i] = row[i];
#ifdef IRIS_SHORTS
    static int16_t shorts[IRIS_SHORTS];
    iris_predict(x, &answer, work, shorts);
#else
    iris_predict(x, &answer, work);
#endif
    said = answer.probabilities[0];
    return 0;
}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} (Debian: gcc-arm-none-eabi "
                       "libnewlib-arm-none-eabi qemu-system-arm)"),
]  # fmt: skip


def did(command: list[str], folder: Path) -> str:
    """Run a command, and return what it says."""
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def memory(folder: Path) -> tuple[int, int]:
    """Return the bytes of flash and of RAM that a program with the model and nothing else takes, but the stack."""
    (folder / "alone.c").write_text(ALONE)
    did([*BUILD, "--specs=nano.specs", "alone.c", "iris.c", "-lm", "-o", "alone.elf"], folder)
    text, data, bss = map(int, did([TOOLS[1], "alone.elf"], folder).splitlines()[1].split()[:3])
    return text + data, data + bss


@pytest.mark.parametrize(
    ("keep", "fixed", "flash", "ram"), [(1, False, 8000, 400), (8, False, 14_000, 600), (8, True, 14_000, 600)]
)
def test_iris(keep: int, fixed: bool, flash: int, ram: int, tmp_path: Path) -> None:
    options = {"networks": keep, "keep": keep, "hidden": (8,), "activation": "relu", "epochs": 20, "batch_size": 8}
    options["feature_encoding"] = "plain"
    run = shoal.fit("iris", out=str(tmp_path / "run"), seal_test=True, page=False, **options)
    assert shoal.export_model(run, tmp_path / "iris.c", fixed=fixed).agreement.holds
    semihosting = ["-DSEMIHOSTING", "-DIRIS_MAIN", "--specs=rdimon.specs"]
    did([*BUILD, *semihosting, "iris.c", "-lm", "-o", "check.elf"], tmp_path)
    said = did([*EMULATE, "check.elf"], tmp_path)
    assert "24 validation rows: largest difference" in said
    assert "0 flags differ" in said
    used = memory(tmp_path)
    print(f"{keep} networks of 4-8-3: {used[0]} bytes of flash, {used[1]} of RAM")
    assert used[0] < flash
    assert used[1] < ram
