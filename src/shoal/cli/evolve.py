"""`shoal evolve`: a population of networks learns to act, without data and without gradients."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shoal.cli.options import Json, Quiet

if TYPE_CHECKING:
    from collections.abc import Callable

    from shoal.evolution.learning import Generation

ENVIRONMENTS = "acrobot, arm, balance, cart-pole, orbit, pendulum, or gymnasium:NAME"
Environment = Annotated[str, typer.Argument(metavar="ENVIRONMENT", help=ENVIRONMENTS)]
Layers = Annotated[
    str | None,
    typer.Option(
        "--network", metavar="LAYERS", help="as '3 16:tanh 1:tanh' (default: 16 tanh neurons)", show_default=False
    ),
]
Algorithm = Annotated[str, typer.Option(metavar="NAME", help="genetic, cma-es or openai-es")]
Population = Annotated[
    int | None, typer.Option(metavar="MEMBERS", help="of a generation (default: 256, of cma-es 64)", show_default=False)
]
Generations = Annotated[int, typer.Option(help="at most, for each seed")]
Seeds = Annotated[int, typer.Option(help="populations that learn one after the other")]
Seed = Annotated[int, typer.Option(help="of the first; the others count on")]
Sigma = Annotated[float | None, typer.Option(help="first steps (default: 0.5, of openai-es 0.2)", show_default=False)]
Episodes = Annotated[int, typer.Option(help="of each member in a generation")]
Limit = Annotated[int | None, typer.Option(metavar="STEPS", help="after which an episode ends", show_default=False)]
Target = Annotated[
    float | None,
    typer.Option(
        help="of the champion, at which a seed ends: share of successes (default: 0.99), or fitness", show_default=False
    ),
]
Minutes = Annotated[float | None, typer.Option(help="after which a seed ends", show_default=False)]
Out = Annotated[
    str | None,
    typer.Option(
        "--out", "-o", metavar="FOLDER", help="of the run (default: runs/ENVIRONMENT-1, …)", show_default=False
    ),
]
Force = Annotated[bool, typer.Option("--force", help="replace the evolution in that folder")]


def evolve(
    environment: Environment,
    *,
    network: Layers = None,
    algorithm: Algorithm = "genetic",
    population: Population = None,
    generations: Generations = 200,
    seeds: Seeds = 1,
    seed: Seed = 0,
    sigma: Sigma = None,
    episodes: Episodes = 8,
    limit: Limit = None,
    target: Target = None,
    minutes: Minutes = None,
    out: Out = None,
    force: Force = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Let a population of small networks learn to act, from a fitness alone: no data, no gradients.

    All members act from the same new starts in each generation. The champion is chosen on other starts, and judged on a
    thousand that it never saw. The folder has the log, the champions, a page that shows what they do, and an animation.
    """
    from pathlib import Path

    from shoal.cli.output import print_json, print_text
    from shoal.evolution.evolving import evolve as learn
    from shoal.evolution.folder import NAME
    from shoal.evolution.tasks import task_of
    from shoal.runs.documents import read_json
    from shoal.runs.new_folder import numbered, slug

    task_of(environment, None)  # so that a wrong name leaves no folder
    fresh = out is None
    folder = numbered(Path("runs"), slug(environment.removeprefix("gymnasium:"))) if out is None else Path(out)
    options: dict[str, Any] = {
        "algorithm": algorithm, "population": population, "generations": generations, "seeds": seeds, "seed": seed,
        "sigma": sigma, "episodes": episodes, "limit": limit, "target": target, "minutes": minutes,
    }  # fmt: skip
    try:
        run = learn(environment, network, **options, out=folder, force=force, tell=_shown(quiet=quiet))
    except BaseException:
        if fresh and not any(folder.iterdir()):
            folder.rmdir()
        raise
    if as_json:
        print_json({"folder": str(folder), **read_json(folder / NAME, 1, "")})
        return
    print_text(str(run))
    print_text(f"page: {folder / 'report.html'}")


def _shown(*, quiet: bool) -> Callable[[Generation], None]:
    """Return what prints a line on stderr for each generation at which champions were chosen."""

    def show(one: Generation) -> None:
        if quiet or one.selected is None:
            return
        text = f"seed {one.seed}, generation {one.number}: median {one.fitness[2]:.4g}, best {one.fitness[4]:.4g}, "
        print(f"{text}champion on starts for selection {one.selected:.4g}", file=sys.stderr, flush=True)

    return show
