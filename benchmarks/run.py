"""Measure shoal beside its peers on this machine, and write `docs/explanation/benchmarks.md` with its figure.

    pip install -e '.[bench]'
    python benchmarks/run.py                  # everything, some hours
    python benchmarks/run.py --quick          # a look, some minutes; it writes its page beside its results
    python benchmarks/run.py --only 2 4       # some workloads
    python benchmarks/run.py --render         # the page alone, from the results so far

Each measurement is a process of its own. In each round all measurements of a workload are made one after the other,
and the order turns from round to round. Each is a line of the results file at once: a run that was killed goes on.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from measuring import TRIES, make
from page import write_page
from peers.base import available_cores
from plan import HERE, WORKLOADS, Scale
from record import Record, machine

DOCS = HERE.parent / "docs" / "explanation"


def measure_all(record: Record, scale: Scale, workloads: list[int], rounds: int, tries: int) -> None:
    """Make every measurement that the record does not hold yet."""
    for number in workloads:
        planned = WORKLOADS[number](scale)
        for turn in range(rounds):
            for each in planned if turn % 2 == 0 else planned[::-1]:
                if record.has(each.name, turn):
                    continue
                if each.absent:
                    print(f"{each.name}: {each.absent}", flush=True)
                    continue
                outcome = make(each, scale.limit, tries)
                record.add(each.name, turn, outcome)
                shown = ", ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in outcome.items())
                print(f"{each.name}, round {turn}: {shown}", flush=True)


def use_cores(count: int) -> None:
    """Give this process and those that it starts so many cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", type=int, default=list(WORKLOADS), choices=list(WORKLOADS), metavar="N")
    parser.add_argument("--quick", action="store_true", help="shorter work and one round")
    parser.add_argument("--rounds", type=int, help="3 if not given, 1 with --quick")
    parser.add_argument("--limit", type=float, help="seconds for a peer's search: 300 if not given, 20 with --quick")
    parser.add_argument("--tries", type=int, default=TRIES, help="of a disturbed measurement; 1 does not wait either")
    parser.add_argument("--cores", type=int, default=available_cores(), help="cores that everyone may use")
    parser.add_argument("--results", type=Path, help="results file")
    parser.add_argument("--fresh", action="store_true", help="forget the results file and measure anew")
    parser.add_argument("--render", action="store_true", help="write the page and measure nothing")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # a measurement in progress is ended, too
    use_cores(given.cores)
    file = given.results or HERE / ("results-quick.jsonl" if given.quick else "results.jsonl")
    if given.fresh:
        file.unlink(missing_ok=True)
    record = Record(file)
    scale = Scale(given.quick, given.limit or (20.0 if given.quick else 300.0))
    if not given.render:
        record.begin(machine())
        measure_all(record, scale, sorted(given.only), given.rounds or (1 if given.quick else 3), given.tries)
    print(write_page(record, scale, file.parent if given.quick or given.results else DOCS))


if __name__ == "__main__":
    main()
