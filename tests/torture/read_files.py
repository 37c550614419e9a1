"""Read the files that a list names, one after the other, and print how each ended; test_files.py runs it."""

from __future__ import annotations

import json
import signal
import sys
import time
import warnings

from shoal.data.describe import describe
from shoal.data.loading import load_dataset
from shoal.errors import ShoalError, ShoalWarning

SECONDS = 60  # for one file


def main(listed: str) -> None:
    """Read each file of a JSON list and print a line before and one after it."""
    with open(listed, encoding="utf-8", errors="surrogateescape") as file:
        paths = json.load(file)
    for path in paths:
        print(json.dumps({"begins": path}), flush=True)
        started = time.monotonic()
        signal.alarm(SECONDS)  # ends the process, whatever it is in
        fault = _fault(path)
        print(json.dumps({"ended": path, "fault": fault, "seconds": time.monotonic() - started}), flush=True)


def _fault(path: str) -> str | None:
    """Return what was bad about the end, None for a dataset that can be described and for an error of shoal's."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            describe(load_dataset(path)).as_dict()
        except ShoalError as error:
            if not str(error).strip():
                return "an error without a message"
        except BaseException as error:
            return f"{type(error).__name__}: {str(error)[:300]}"
    raw = [str(w.message)[:200] for w in caught if not issubclass(w.category, ShoalWarning)]
    return f"a library warns: {raw[0]}" if raw else None


if __name__ == "__main__":
    main(sys.argv[1])
