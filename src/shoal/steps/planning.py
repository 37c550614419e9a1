"""What a fit would do, found without training: candidates, programs, memory and time."""

from __future__ import annotations

from dataclasses import dataclass

from shoal.errors import counted
from shoal.resources import available_cores, memory_text
from shoal.search.members import members_of
from shoal.search.results.ranking import MOST_KEPT
from shoal.search.strategy import Search, get_strategy
from shoal.steps.finishing_time import Speed
from shoal.steps.posing import Posed
from shoal.steps.proposing import networks_each
from shoal.training.engine_choice import choose_engine, estimated_seconds
from shoal.training.packing import member_network
from shoal.training.planner import LIBRARY_BYTES, NUMBER, find_budget, shared_bytes
from shoal.training.progress_words import duration
from shoal.training.rungs import most_epochs

# Measured with the built-in sets: of their epochs networks train so many before they stop early; seconds of a core and
# bytes that each network costs beside its training; copies of the rows, of the parameters of all.
TRAINED, NETWORK_SECONDS, NETWORK_BYTES, ROW_COPIES, PARAMETER_COPIES = 0.6, 0.002, 16_000, 3, 12


@dataclass(frozen=True)
class Plan:
    """What a fit would do.

    Attributes:
        candidates: how many would be tried.
        networks: how many would be trained: candidates × folds × repeats.
        epochs: of all networks together at most.
        engine: what would train.
        programs: how many would be compiled or found in the cache; 0 where nothing has to be compiled.
        memory: most bytes that the process would take.
        seconds: on these cores as they are now, reading left out; with `minutes` no more than these.
    """

    candidates: int
    networks: int
    epochs: int
    engine: str
    programs: int
    memory: int
    seconds: float

    def __str__(self) -> str:
        programs = counted(self.programs, "program") if self.programs else "nothing to compile"
        return (
            f"{counted(self.candidates, 'candidate')}, {counted(self.networks, 'network')}, {self.epochs:,} epochs of "
            f"them at most; engine {self.engine}, {programs}; about {memory_text(self.memory)} of memory and "
            f"{duration(self.seconds)} on {counted(available_cores(), 'core')}, right within a factor of two as a rule"
        )


def plan_search(posed: Posed, search: Search) -> Plan:
    """Return what training, evaluating and writing would take; of later rounds of a search what the first one takes."""
    settings, problem, each = posed.settings, posed.problem, networks_each(posed.settings)
    proposed = get_strategy(settings.strategy).propose(search, ())
    members = members_of(
        [proposal.hyperparameters for proposal in proposed], settings.folds, settings.repeats, rolling=problem.rolling
    )
    budget = find_budget(settings.memory)
    engine = choose_engine(problem, members, settings.engine, budget).make()
    engine.plan(problem, members)
    share = search.count / len(proposed)
    every = sum(member.hyperparameters.epochs for member in members)
    epochs = most_epochs(members, proposed[0].rungs)
    may_stop = any(m.hyperparameters.patience < m.hyperparameters.epochs for m in members)
    trained = epochs / every if proposed[0].rungs else TRAINED if may_stop else 1.0
    training = share * (estimated_seconds(problem, members, budget.cores) * trained + NETWORK_SECONDS * len(members))
    kept = min(settings.keep or MOST_KEPT, search.count) * each
    speed = Speed.measured(problem, members[len(members) // 2])
    finishing = speed.finishing_seconds(posed.dataset.rows, kept)
    seconds = speed.load * training * (1 + (settings.replicas or 0) * kept / (search.count * each)) + finishing
    if settings.minutes is not None:
        seconds = min(seconds, 60.0 * settings.minutes)
    networks = search.count * each
    parameters = sum(member_network(problem, member).parameter_count for member in members) * share
    rows = shared_bytes(problem, 0) - LIBRARY_BYTES
    memory = LIBRARY_BYTES + ROW_COPIES * rows + NETWORK_BYTES * networks + NUMBER * PARAMETER_COPIES * parameters
    return Plan(search.count, networks, round(share * epochs), engine.name, engine.programs, round(memory), seconds)
