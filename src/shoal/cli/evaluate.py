"""`shoal evaluate`: the scores of a run on other rows."""

from __future__ import annotations

from typing import Any

from shoal.cli.from_settings import READING, read_options, with_settings
from shoal.cli.options import DataArgument, Json, Quiet, RunArgument


@with_settings(READING)
def evaluate(
    run: RunArgument, data: DataArgument, *, settings: dict[str, Any], as_json: Json = False, quiet: Quiet = False
) -> None:
    """Score a run on rows whose truth is known, each score with its 95 % interval."""
    from shoal.cli.live import watching
    from shoal.cli.output import interval, print_json, print_table
    from shoal.run import load

    with watching(quiet=quiet, plain_lines=False) as progress:
        progress.stage(f"evaluating {data}")
        fitted = load(run)
        scores = fitted.evaluate(data, read_options(settings))
    if as_json:
        print_json(scores)
    else:
        units = fitted.score_units
        rows = [(_label(name, units.get(name, "")), interval(score)) for name, score in scores.items()]
        print_table(("score", "value [95 % interval]"), rows)


def _label(name: str, unit: str) -> str:
    """Return a score as words, and of which target it is where a run has several: `log-loss of sex`."""
    from shoal.cli.output import label

    metric, of, target = name.partition(" of ")
    return f"{label(metric, unit)}{of}{target}"
