"""One measurement in a process of its own: arguments as JSON, the outcome as the last line of the output.

python benchmarks/child.py '{"kind": "peak", "library": "numpy"}'
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import Any

import peak
from peers import PEERS, SEARCHES
from shoal_side import SHOALS
from work import work_from


def run(given: dict[str, Any]) -> dict[str, Any]:
    """Return the outcome of a measurement."""
    if given["kind"] == "peak":
        return peak.measure(given["library"])
    if given["kind"] == "search":
        limits = given["candidates"], given["epochs"], given["limit"]
        return SEARCHES[given["who"]].search(given["data"], *limits)
    trainer = {**PEERS, **SHOALS}[given["who"]]
    timing = asdict(trainer.train(work_from(given["work"]), given["population"]))
    return {name: value for name, value in timing.items() if value is not None}


if __name__ == "__main__":
    print(json.dumps(run(json.loads(sys.argv[1]))))
