"""How long an exported model takes for a row, in C, in C in fixed point, in Fortran and in NumPy, beside shoal itself.

    python benchmarks/exported.py          # a minute; writes benchmarks/exported.md and the section of the page

Three runs are fitted: the default ensemble on iris, quantiles on diabetes, one convolutional network on digits.
Compiled models are timed by a program around them with `-O2`, one row after the other; the shortest of five
measurements counts.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from text import NONE, seconds, table
from threadpoolctl import threadpool_limits

import shoal
from shoal.after.exporting import REFUSALS, read_rows_of_fit

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "explanation" / "benchmarks.md"
TITLE = "## 11. A row by an exported model"
MANY = 10_000
RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "iris, default fit": ("iris", {}),
    "diabetes, quantiles, 64-64": ("diabetes", {"loss": "pinball", "hidden": (64, 64), "networks": 16}),
    "digits, convolutions of 8 and 16 filters, one network": (
        "digits.npz",
        {"kind": "images", "layers": "conv2d:8:3:1:same maxpooling2d:2 conv2d:16:3", "hidden": (32,), "networks": 4,
         "keep": 1, "epochs": 15},
    ),
}  # fmt: skip
C_AROUND = """
#include <stdio.h>
#include <time.h>
#include "m.h"
static float work[M_WORK];
#ifdef M_SHORTS
static int16_t shorts[M_SHORTS];
#define MORE , shorts
#else
#define MORE
#endif
static m_answer answer;
static KIND rows[COUNT][M_INPUTS];
int main(void)
{
    long done = 0;
    clock_t start;
    if (fread(rows, sizeof rows, 1, stdin) != 1)
        return 1;
    start = clock();
    while (clock() - start < CLOCKS_PER_SEC / 4)
        for (int i = 0; i < COUNT; ++i, ++done)
            m_predict(rows[i], &answer, work MORE);
    printf("%.9g", (double)(clock() - start) / CLOCKS_PER_SEC / (double)done);
    return 0;
}
"""
FORTRAN_AROUND = """
program around
use m_model
implicit none
type(m_answer) :: answer
real(KIND) :: rows(m_inputs, COUNT)
real :: start, now
integer :: i, done
open (unit=9, file="rows", access="stream", form="unformatted")
read (9) rows
done = 0
call cpu_time(start)
do
  do i = 1, COUNT
    call m_predict(rows(:, i), answer)
  end do
  done = done + COUNT
  call cpu_time(now)
  if (now - start > 0.25) exit
end do
print *, (now - start) / real(done)
end program around
"""


def shortest(measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(5))


def timed(call: Callable[[], Any], rows: int) -> float:
    """Return seconds for a row, of as many calls as take a quarter of a second."""
    call()

    def measure() -> float:
        start, calls = time.process_time(), 0
        while time.process_time() - start < 0.25:
            call()
            calls += 1
        return (time.process_time() - start) / calls / rows

    return shortest(measure)


def compiled(command: list[str], rows: np.ndarray, folder: Path) -> float | None:
    """Return seconds for a row of a program that reads rows, or None where there is no compiler."""
    try:
        subprocess.run([*command, "-O2", "-o", "around"], cwd=folder, check=True)
    except FileNotFoundError:
        return None
    (folder / "rows").write_bytes(rows.tobytes())

    def measure() -> float:
        with (folder / "rows").open("rb") as given:
            return float(subprocess.run(["./around"], cwd=folder, stdin=given, capture_output=True, check=True).stdout)

    return shortest(measure)


def measured(run: shoal.Run, folder: Path) -> list[float | None]:
    """Return seconds for a row by all of them."""
    fit = read_rows_of_fit(run, REFUSALS)
    inputs = fit.dataset.inputs(np.arange(MANY) % len(fit.dataset.y()))
    rows = example(run, inputs)
    spec = importlib.util.spec_from_file_location("m", shoal.export_model(run, folder / "m.py").files[0])
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    one = fit.dataset.inputs(np.arange(1))
    times: list[float | None] = [
        timed(lambda: run.predictor.predict(one), 1),
        timed(lambda: model.predict(rows[:1]), 1),
    ]
    given = rows[:100].astype(model.DTYPE)
    for fixed in (False, True):
        shoal.export_model(run, folder / "m.c", fixed=fixed, force=True)
        kind = "double" if given.dtype == np.float64 else "float"
        (folder / "around.c").write_text(C_AROUND.replace("KIND", kind).replace("COUNT", str(len(given))))
        times.append(compiled(["cc", "-std=c99", "around.c", "m.c", "-lm"], given, folder))
    shoal.export_model(run, folder / "m.f90")
    kind = "kind(1.0d0)" if given.dtype == np.float64 else "kind(1.0)"
    (folder / "around.f90").write_text(FORTRAN_AROUND.replace("KIND", kind).replace("COUNT", str(len(given))))
    times.append(compiled(["gfortran", "m.f90", "around.f90"], given, folder))
    return [*times, timed(lambda: run.predictor.predict(inputs), MANY), timed(lambda: model.predict(rows), MANY)]


def example(run: shoal.Run, inputs: Any) -> np.ndarray:
    from shoal.export.example_rows import coded

    return coded(run.predictor.preparation, inputs)


def digits(folder: Path) -> None:
    from sklearn.datasets import load_digits

    given = load_digits()
    np.savez(folder / "digits.npz", X=given.images.astype(np.uint8), y=given.target)


def section() -> str:
    """Measure, and return the section of the page."""
    lines = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        digits(folder)
        for number, (title, (data, options)) in enumerate(RUNS.items()):
            given = str(folder / data) if "." in data else data
            run = shoal.fit(given, out=str(folder / f"run-{number}"), page=False, **options)
            networks = len(run.predictor.members)
            times = [NONE if value is None else seconds(value) for value in measured(run, folder)]
            lines.append([f"{title} ({networks} networks)" if networks > 1 else title, *times])
            for file in folder.glob("m*"):
                file.unlink()
    head = ["", "shoal", "`m.py`", "C", "C, `--fixed`", "Fortran", f"shoal, {MANY:,} rows", f"`m.py`, {MANY:,} rows"]
    return (
        "Processor time for one row with its error bars, alone, and among many, by `python benchmarks/exported.py` on "
        "one core; C and Fortran by gcc with `-O2` and without the flag of rows outside, which is a function of its "
        "own there.\n\n"
        f"{table(head, lines)}\n\nWhat holds it back: on processors with floating point whole numbers are no faster; "
        "they are for those without."
    )


def main() -> None:
    with threadpool_limits(1):
        text = section()
    (HERE / "exported.md").write_text(text + "\n", encoding="utf-8")
    page = PAGE.read_text(encoding="utf-8")
    page = re.sub(rf"{re.escape(TITLE)}\n.*?\n(?=## )", "", page, flags=re.S)
    PAGE.write_text(page.replace("\n## How it was measured", f"\n{TITLE}\n\n{text}\n\n## How it was measured"), "utf-8")
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    main()
