"""Closure tests of shoal's error bars, by hand: `docs/explanation/closure.md` with its figure.

    python -m benchmarks.closure                       # from the root of the repository; about an hour on two cores
    python -m benchmarks.closure --only y classes      # some parts
    python -m benchmarks.closure --repetitions 10      # a look
    python -m benchmarks.closure --render              # the page alone, from the results so far

Each repetition is a line of `benchmarks/closure/results.jsonl` as soon as it is done: a run that was ended goes on
where it was. `--fresh` begins anew, as one must after a change of the code.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.closure import repetition, tables, weights
from benchmarks.closure.laws import CASES

HERE = Path(__file__).parent
RESULTS = HERE / "results.jsonl"
DOCS = HERE.parents[1] / "docs" / "explanation"
SEARCHED = "searched"

Work = Callable[[int], dict[str, Any]]


def parts(repetitions: int) -> dict[str, tuple[Work, int]]:
    """Return what is repeated by name, and how often: less of what takes long."""
    works: dict[str, Work] = {
        name: (lambda number, case=case: repetition.of_numbers(case, number)) for name, case in CASES.items()
    }
    works |= {"classes": repetition.of_classes, SEARCHED: repetition.searched, **weights.PARTS}
    less = {name: 0.3 for name in ("oscillation", "surface", "redshifts", *weights.PARTS)} | {SEARCHED: 0.2}
    works |= {f"table {name}": work for name, work in tables.PARTS.items()}
    works |= {f"folds {name}": work for name, work in tables.FOLDED.items()}
    works |= {f"default {name}": work for name, work in tables.DEFAULT.items()}
    less |= {name: 0.2 for name in works if name.startswith(("table ", "folds ", "default "))}
    return {name: (work, max(2, round(less.get(name, 1.0) * repetitions))) for name, work in works.items()}


def read(file: Path) -> list[dict[str, Any]]:
    """Return the results so far."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


def missing(done: list[dict[str, Any]], only: list[str], repetitions: int) -> Iterator[tuple[str, int, Work]]:
    """Give what is still to be done: part, number of the repetition and the function that does it."""
    known = {(line["part"], line["number"]) for line in done}
    for name, (work, count) in parts(repetitions).items():
        if not only or any(name.startswith(start) for start in only):
            yield from ((name, number, work) for number in range(count) if (name, number) not in known)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help=f"parts, of {', '.join(parts(1))}")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--fresh", action="store_true", help="forget the results so far")
    parser.add_argument("--render", action="store_true", help="write the page and repeat nothing")
    given = parser.parse_args()
    if given.fresh:
        given.results.unlink(missing_ok=True)
    if not given.render:
        with given.results.open("a", encoding="utf-8") as file:
            for name, number, work in missing(read(given.results), given.only, given.repetitions):
                file.write(json.dumps({"part": name, "number": number, **work(number)}) + "\n")
                file.flush()
                print(name, number, flush=True)
    from benchmarks.closure.page import write_page

    print(write_page(read(given.results), DOCS if given.results == RESULTS else given.results.parent))


if __name__ == "__main__":
    main()
