"""`shoal report`: the page of a run."""

from __future__ import annotations

from shoal.cli.options import Json, RunArgument
from shoal.errors import RunError


def report(run: RunArgument, *, as_json: Json = False) -> None:
    """Print where the page of a run is, to be opened in a browser."""
    from shoal.cli.output import print_json, print_text
    from shoal.run import load

    page = load(run).report()
    if not page.is_file():
        raise RunError(
            f"the run {run!r} has no page: {str(page)!r} is missing; repeat it with --config, without --no-page."
        )
    if as_json:
        print_json({"page": str(page)})
    else:
        print_text(str(page))
