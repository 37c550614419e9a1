"""How many candidates are tried, from which space, and where the search begins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shoal.errors import SettingError, counted
from shoal.resources import available_cores
from shoal.results import Task
from shoal.runs.folder import RunFolder
from shoal.search.knobs import SAME_FOR_ALL, check_effect
from shoal.search.space import Categorical, Limits, Space
from shoal.search.spaces import default_layers, default_space, reconstruction_space, single_space
from shoal.search.strategy import Search, get_strategy, size_of
from shoal.settings import NETWORKS, FitSettings
from shoal.steps.folding import FEWEST_CANDIDATES
from shoal.steps.posing import Posed
from shoal.steps.reading import kind_of
from shoal.steps.until import Goal
from shoal.steps.warm_start import candidates_of_run
from shoal.training.encodings import PLAIN
from shoal.training.engine_choice import estimated_seconds
from shoal.training.engines.native.cost import core_seconds
from shoal.training.hyperparameters import Hyperparameters
from shoal.training.member import Member

NETWORKS_ON_SIGNALS = 24  # which take far longer each
ENOUGH_TO_SEE = 256  # candidates that show whether what is named has an effect
NETWORKS_A_MINUTE, NETWORKS_IN_A_BUDGET = 8_192, 16_384
"""Of a table with --minutes and no --networks: more than will be reached, and the most, since each has to be posed."""
REACH = 8.0  # how many times more candidates than the model of the cost says that the time has room for
SIGNALS_IN_A_BUDGET = 1024
LARGEST_GRID = 1024
CORE_SECONDS = 100.0
"""Of a table's candidates by default, as the fixed model of the cost counts them: within a minute on two cores."""
FEWEST = 8  # candidates that are tried whatever they take: half of them make the ensemble


def count_candidates(settings: FitSettings, kind: str = "table") -> int:
    """Return how many candidates to propose for data of a kind: table, images or series."""
    if settings.networks is not None:
        return settings.networks
    signals = FEWEST_CANDIDATES if settings.chosen_folds else NETWORKS_ON_SIGNALS
    usual = NETWORKS if kind == "table" else signals
    if settings.minutes is None:
        return usual
    reached = min(round(NETWORKS_A_MINUTE * settings.minutes), NETWORKS_IN_A_BUDGET) if kind == "table" else 0
    return max(usual, max(reached, SIGNALS_IN_A_BUDGET) // networks_each(settings))


def settled_count(settings: FitSettings, kind: str) -> int | None:
    """Return how many candidates a search goes on to propose with another time; None: its strategy says so itself."""
    size = size_of(settings.strategy, Space({}).naming(settings.knobs()))
    return count_candidates(settings, kind) if size is None else settings.networks


def networks_each(settings: FitSettings) -> int:
    """Return how many networks a candidate has: folds × repeats."""
    return (settings.folds or 1) * settings.repeats


def pose_search(posed: Posed) -> Search:
    """Return what is searched, once it is clear that there is something to search.

    Raises:
        SettingError: nothing to vary, values of a named hyperparameter without effect, or too many candidates.
    """
    split, dataset, problem, settings = posed.split, posed.dataset, posed.problem, posed.settings
    rows, shape = split.rows_of_a_network, problem.input_shape
    space = choose_space(rows, dataset.task, settings, shape, problem.per_step, dataset.unit == "window")
    if not problem.number_columns:
        _check_no_encoding(settings, kind_of(dataset))
        space = space.without("feature_encoding")
    strategy, asked = get_strategy(settings.strategy), settings.networks
    size = size_of(settings.strategy, space)
    count = count_candidates(settings, kind_of(dataset))
    if count == 1 and settings.knobs():
        raise SettingError(
            f"networks=1 leaves nothing to vary; give one value of {', '.join(space.named)}, or more networks"
        )
    if "label_smoothing" in space.named and dataset.task is not Task.CLASSIFICATION:
        raise SettingError("label_smoothing: there is nothing to vary, since it only acts on classes; leave it out")
    if size is not None:
        space = space.around_middle()
        if asked is None:
            _check_size(posed, space, size)
        count = size if asked is None else min(asked, size)
    elif asked is None and kind_of(dataset) == "table":
        count = affordable(posed, space, count) if settings.minutes is None else within_reach(posed, space, count)
    Goal.of(posed, networks_each(settings))  # or it is refused
    if size is not None and settings.from_run is not None:
        raise SettingError(
            f"search {settings.strategy} has candidates of its own, so that it begins with no others; use --base "
            f"{settings.from_run}, or a search that draws its candidates, such as random"
        )
    search = Search(space, count, settings.seed, candidates_of_run(posed, space))
    some = search if size is not None else replace(search, count=min(count, ENOUGH_TO_SEE))
    first = [proposal.hyperparameters for proposal in strategy.propose(some, ())]
    check_effect(space.named, first)
    return search


def within_reach(posed: Posed, space: Space, count: int) -> int:
    """Return how many candidates of a space are tried at most within a time budget, `count` or as many as it may reach.

    What many rows or columns make slow is not proposed by the thousand, which would take longer than to train it.
    """
    settings = posed.settings
    assert settings.minutes is not None
    drawn = [space.candidate(settings.seed, number) for number in range(min(count, NETWORKS))]
    seconds = core_seconds(posed.problem, [Member(number, chosen) for number, chosen in enumerate(drawn)])
    each = networks_each(settings) * float(seconds.mean())
    return max(len(drawn), min(count, round(REACH * 60.0 * settings.minutes * available_cores() / each)))


def affordable(posed: Posed, space: Space, count: int) -> int:
    """Return how many candidates of a space are tried by default, at most `count`.

    They are counted by the fixed model of the cost, as if each trained all of its epochs, and never by the clock, so
    that the same command tries the same candidates.
    """
    settings = posed.settings
    drawn = [space.candidate(settings.seed, number) for number in range(count)]
    each = networks_each(settings)
    seconds = each * core_seconds(posed.problem, [Member(number, chosen) for number, chosen in enumerate(drawn)])
    return max(min(FEWEST, count), int((seconds.cumsum() <= CORE_SECONDS).sum()))


def _check_no_encoding(settings: FitSettings, kind: str) -> None:
    if settings.feature_encoding not in (None, PLAIN):
        what = {"table": "a table without a column of numbers"}.get(kind, kind)
        what = "a reconstruction" if settings.reconstruct else what
        raise SettingError(f"feature_encoding: there is nothing to encode in {what}; leave it out")


def _check_size(posed: Posed, space: Space, size: int) -> None:
    """Refuse more candidates than anybody means, with about the time that they would take."""
    each = networks_each(posed.settings)
    if size * each <= LARGEST_GRID:
        return
    middle, cores = space.middle(), available_cores()
    few = [Member(number, middle) for number in range(64)]
    hours = estimated_seconds(posed.problem, few, cores) / len(few) * size * each / 3600.0
    raise SettingError(
        f"search {posed.settings.strategy} has {counted(size, 'candidate')}, {counted(size * each, 'network')} in all, "
        f"which is about {_duration(hours)} of training on {counted(cores, 'core')}; name fewer values, let "
        f"--networks N try N of them, or use --search random"
    )


def _duration(hours: float) -> str:
    return f"{hours:.2g} h" if hours >= 1.0 else counted(max(1, round(60 * hours)), "minute")


def choose_space(
    rows: int,
    task: Task,
    settings: FitSettings,
    shape: tuple[int, ...] = (1,),
    per_step: bool = False,
    forecast: bool = False,
) -> Space:
    """Return what is searched: the default space, or nothing for a single network; what the user fixed stays."""
    fixed, named, single = settings.fixed(), settings.knobs(), count_candidates(settings) == 1
    if task is Task.RECONSTRUCTION:
        space = reconstruction_space(shape, rows, fixed, settings.bottleneck, single=single)
    elif single:
        space = single_space(fixed.get("epochs", 200), default_layers(shape, per_step, forecast)).fixing(fixed)
    else:
        space = default_space(rows, task is Task.CLASSIFICATION, shape, per_step, forecast).fixing(fixed)
    return space.naming(named)


def with_base(settings: FitSettings) -> FitSettings:
    """Return the settings with the hyperparameters of the best candidate of another run where none are named.

    A search one at a time begins with its value of those that are named, too. What is returned does not need the other
    run any more.

    Raises:
        RunError: there is no such run, or it is not finished.
    """
    if settings.base is None:
        return settings
    folder = RunFolder.open(settings.base)
    folder.check_finished()
    kept = folder.predictor().members[0].candidate
    best, searched = Hyperparameters.model_validate(kept), folder.metrics()["search"]["space"]
    taken: dict[str, Any] = {"base": None}
    for name, field in Hyperparameters.model_fields.items():
        value, given = getattr(best, name), getattr(settings, name)
        if value is None or name in SAME_FOR_ALL:
            continue
        if given is None and (name in searched or value != field.default):
            taken[name] = value
        if isinstance(given, Categorical | Limits) and settings.strategy == "one-at-a-time":
            taken[name] = Categorical(tuple(dict.fromkeys((value, *given.spread))))
    return settings.model_copy(update=taken)
