"""How fast and how well populations learn without data, beside peers.

    python benchmarks/evolution.py                 # half an hour; writes docs/explanation/benchmarks_evolution.md
    python benchmarks/evolution.py speed success   # some parts: speed, speed_of_peers, success, peers, functions

Times are processor times of one core, the median of some rounds. Peers that are not installed are left out, and the
page says so: `pip install cma gymnasium pygad neat-python gymnax`.
"""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import shoal
from shoal.evolution.acting import act
from shoal.evolution.algorithms import ALGORITHMS
from shoal.evolution.algorithms.cma_es import CmaEs
from shoal.evolution.environments import ENVIRONMENTS, environment_of
from shoal.evolution.populations import outputs, parameters_of, vector_of
from shoal.networks import Network
from shoal.streams import Stream
from shoal.training.engines.native.library import best_kernel

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "explanation" / "benchmarks_evolution.md"
KEPT = HERE / "evolution.json"
MEMBERS, SHAPE = 1024, "4 16:tanh 1"
SEEDS = 10
FEWER = {"pygad": 3, "NEAT-python": 2}  # seeds of peers that take long


def timed(work: Callable[[], int], rounds: int = 5) -> float:
    """Return what `work` counts, for each second of processor time."""
    rates = []
    for _ in range(rounds):
        begun = time.process_time()
        done = work()
        rates.append(done / (time.process_time() - begun))
    return float(np.median(rates))


def balancing(network: Network) -> np.ndarray:
    """Return policies that keep the pole up for most of 500 steps, so that none of the work is a fresh start."""
    population = 0.02 * np.random.default_rng(0).standard_normal((MEMBERS, network.parameter_count))
    population[:, :64].reshape(-1, 4, 16)[:, :, 0] += [0.05, 0.15, 1.0, 0.5]
    population[:, 80] += 1.0
    return population.astype(np.float32)


def speed() -> list[dict[str, Any]]:
    """Measure policy steps a second and core."""
    rows = []
    for world in ENVIRONMENTS.values():
        network = Network.parse(f"{len(world.observations)} 16:tanh {len(world.actions)}")
        population = np.random.default_rng(0).normal(0, 0.5, (MEMBERS, network.parameter_count))
        if world.name == "cart-pole":
            population = balancing(network)
        starts = world.starts(4, Stream(0))
        run = partial(act, world, network, population, starts)
        rate = timed(lambda run=run: int(run().steps.sum()))
        plain = timed(lambda run=run: int(run(engine="numpy").steps.sum()), 1)
        layers = f"{len(world.observations)}-16-{len(world.actions)}"
        rows.append({"what": f"{world.name}, policies {layers}", "native": rate, "numpy": plain})
    return rows


def speed_of_peers() -> list[dict[str, Any]]:
    """Measure cart-pole with the same policies elsewhere."""
    network = Network.parse(SHAPE)
    population = balancing(network)
    found = []
    for name, measure in (
        ("Gymnasium, single environment", gymnasium_single),
        ("Gymnasium, vector of 1,024 (written as one)", gymnasium_vector),
        ("gymnax on JAX, compiled, 1,024 side by side", gymnax_rollout),
    ):
        try:
            found.append({"what": name, "rate": measure(network, population)})
        except ImportError as error:
            found.append({"what": name, "rate": None, "why": str(error)})
    return found


def gymnasium_single(_: Network, population: np.ndarray) -> float:
    import gymnasium

    world, parameters = gymnasium.make("CartPole-v1"), parameters_of(Network.parse(SHAPE), population[0])
    w1, b1, w2, b2 = (parameters[i][name] for i in (0, 1) for name in ("kernel", "bias"))

    def run() -> int:
        steps = 0
        for episode in range(10):
            seen, _ = world.reset(seed=episode)
            ended = False
            while not ended:
                action = int((np.tanh(seen @ w1 + b1) @ w2 + b2)[0] > 0)
                seen, _, terminated, truncated, _ = world.step(action)
                steps, ended = steps + 1, terminated or truncated
        return steps

    return timed(run, 3)


def gymnasium_vector(network: Network, population: np.ndarray) -> float:
    import gymnasium

    world = gymnasium.make_vec("CartPole-v1", num_envs=MEMBERS, vectorization_mode="vector_entry_point")

    def run() -> int:
        seen, _ = world.reset(seed=0)
        for _ in range(300):
            said = outputs(network, population, np.asarray(seen)[:, None])[:, 0, 0]
            seen, *_ = world.step((said > 0).astype(np.int64))
        return 300 * MEMBERS

    return timed(run, 3)


def gymnax_rollout(_: Network, population: np.ndarray) -> float:
    import gymnax
    import jax
    import jax.numpy as jnp

    world, settings = gymnax.make("CartPole-v1")
    members = jax.vmap(
        lambda vector: [vector[:64].reshape(4, 16), vector[64:80], vector[80:96].reshape(16, 1), vector[96:]]
    )
    weights = members(jnp.asarray(population))

    def episode(own: Any, key: Any) -> Any:
        def step(carry: Any, _: Any) -> Any:
            seen, state, key = carry
            key, now = jax.random.split(key)
            action = ((jnp.tanh(seen @ own[0] + own[1]) @ own[2] + own[3])[0] > 0).astype(int)
            seen, state, reward, *_ = world.step(now, state, action, settings)
            return (seen, state, key), reward

        seen, state = world.reset(key, settings)
        return jax.lax.scan(step, (seen, state, key), None, length=500)[1].sum()

    compiled = jax.jit(jax.vmap(episode))
    keys = jax.random.split(jax.random.key(0), MEMBERS)
    compiled(weights, keys).block_until_ready()

    def run() -> int:
        compiled(weights, keys).block_until_ready()
        return 500 * MEMBERS

    return timed(run, 3)


def success() -> list[dict[str, Any]]:
    """Learn every environment with every algorithm and ten seeds."""
    rows = []
    for world in ENVIRONMENTS:
        for algorithm in ALGORITHMS:
            run = shoal.evolve(world, algorithm=algorithm, seeds=SEEDS, generations=300, minutes=0.5, cores=1)
            learnt = [each.learnt for each in run.champions]
            spent = [each.seconds for each in learnt]
            rows.append(
                {
                    "environment": world,
                    "algorithm": algorithm,
                    "solved": sum(bool(each.test.solved) for each in run.champions),
                    "success": run.together.success.as_dict(),
                    "seconds": float(np.median(spent)),
                    "most": float(np.max(spent)),
                    "generations": float(np.median([len(each.generations) for each in learnt])),
                    "evaluations": float(np.median([each.evaluations for each in learnt])),
                    "steps": float(np.median([each.steps for each in learnt])),
                }
            )
            print(rows[-1], flush=True)
    return rows


def peers() -> list[dict[str, Any]]:
    """Learn the swing-up with peers whose fitness is shoal's own physics, 60 s each at most."""
    rows = []
    for name, learn in (("shoal, genetic", by_shoal), ("cma", by_cma), ("pygad", by_pygad), ("NEAT-python", by_neat)):
        solved, spent = [], []
        try:
            for seed in range(FEWER.get(name, SEEDS)):
                begun = time.process_time()
                share = learn(seed, lambda begun=begun: time.process_time() - begun > 20)
                spent.append(time.process_time() - begun)
                solved.append(share)
        except ImportError as error:
            rows.append({"peer": name, "why": str(error)})
            continue
        rows.append({"peer": name, "success": solved, "seconds": spent})
        print(rows[-1], flush=True)
    return rows


class SwingUp:
    """The pendulum as peers see it: fitness on 8 starts a generation, a champion by 100 others, judged on 1,000."""

    def __init__(self, seed: int) -> None:
        self.world, self.network, self.seed = environment_of("pendulum"), Network.parse("3 16:tanh 1:tanh"), seed
        self.champion: tuple[float, np.ndarray] = (-1.0, np.zeros(self.network.parameter_count))
        self.generation = 0

    def fitness(self, population: np.ndarray) -> np.ndarray:
        """Return the fitness of a generation."""
        self.generation += 1
        starts = self.world.starts(8, Stream(self.seed, 1, self.generation))
        said = act(self.world, self.network, population, starts).mean
        if self.generation % 5 == 0:
            best = population[int(said.argmax())]
            chosen = act(self.world, self.network, best[None], self.world.starts(100, Stream(self.seed, 2)))
            share = float(chosen.success.mean())
            if share > self.champion[0]:
                self.champion = share, np.array(best)
        return said

    @property
    def done(self) -> bool:
        """Whether the champion reaches the target on the starts for selection."""
        return self.champion[0] >= 0.99

    def judged(self) -> float:
        """Return the champion's share of successes on unseen starts."""
        starts = self.world.starts(1000, Stream(self.seed, 3))
        return float(act(self.world, self.network, self.champion[1][None], starts).success.mean())


def by_shoal(seed: int, late: Callable[[], bool]) -> float:
    del late
    return float(shoal.evolve("pendulum", seed=seed, cores=1).best.test.success.value)


def by_cma(seed: int, late: Callable[[], bool]) -> float:
    import cma

    task = SwingUp(seed)
    start = vector_of(task.network, task.network.initialize(seed))
    search = cma.CMAEvolutionStrategy(start, 0.5, {"popsize": 64, "verbose": -9, "seed": seed + 1})
    while not late() and not task.done and task.generation < 300:
        asked = search.ask()
        search.tell(asked, (-task.fitness(np.array(asked))).tolist())
    return task.judged()


def by_pygad(seed: int, late: Callable[[], bool]) -> float:
    import pygad

    task = SwingUp(seed)
    random = np.random.default_rng(seed)
    start = vector_of(task.network, task.network.initialize(seed))

    def fitness(_: Any, solutions: np.ndarray, __: Any) -> list[float]:
        return task.fitness(np.asarray(solutions)).tolist()

    search = pygad.GA(
        num_generations=300, num_parents_mating=52, fitness_func=fitness, fitness_batch_size=256, random_seed=seed,
        initial_population=start + 0.5 * random.standard_normal((256, len(start))), keep_elitism=0, keep_parents=0,
        mutation_by_replacement=False, random_mutation_min_val=-0.5, random_mutation_max_val=0.5,
        parent_selection_type="tournament", crossover_type="uniform", mutation_probability=0.1, suppress_warnings=True,
        on_generation=lambda _: "stop" if late() or task.done else None,
    )  # fmt: skip
    search.run()
    return task.judged()


NEAT = """
[NEAT]
fitness_criterion = max
fitness_threshold = 1e9
no_fitness_termination = True
pop_size = 150
reset_on_extinction = True
[DefaultSpeciesSet]
compatibility_threshold = 3.0
[DefaultStagnation]
species_fitness_func = max
max_stagnation = 20
species_elitism = 2
[DefaultReproduction]
elitism = 2
survival_threshold = 0.2
min_species_size = 2
[DefaultGenome]
num_inputs = 3
num_hidden = 0
num_outputs = 1
feed_forward = True
compatibility_disjoint_coefficient = 1.0
compatibility_weight_coefficient = 0.5
conn_add_prob = 0.5
conn_delete_prob = 0.2
node_add_prob = 0.3
node_delete_prob = 0.1
single_structural_mutation = false
structural_mutation_surer = default
initial_connection = full_direct
bias_init_mean = 0.0
bias_init_stdev = 1.0
bias_init_type = gaussian
bias_replace_rate = 0.1
bias_mutate_rate = 0.7
bias_mutate_power = 0.5
bias_max_value = 30.0
bias_min_value = -30.0
response_init_mean = 1.0
response_init_stdev = 0.0
response_init_type = gaussian
response_replace_rate = 0.0
response_mutate_rate = 0.0
response_mutate_power = 0.0
response_max_value = 30.0
response_min_value = -30.0
activation_default = tanh
activation_options = tanh
activation_mutate_rate = 0.0
aggregation_default = sum
aggregation_options = sum
aggregation_mutate_rate = 0.0
weight_init_mean = 0.0
weight_init_stdev = 1.0
weight_init_type = gaussian
weight_replace_rate = 0.1
weight_mutate_rate = 0.8
weight_mutate_power = 0.5
weight_max_value = 30.0
weight_min_value = -30.0
enabled_default = True
enabled_mutate_rate = 0.01
enabled_rate_to_true_add = 0.0
enabled_rate_to_false_add = 0.0
time_constant_init_mean = 1.0
time_constant_init_stdev = 0.0
time_constant_init_type = gaussian
time_constant_replace_rate = 0.0
time_constant_mutate_rate = 0.0
time_constant_mutate_power = 0.0
time_constant_max_value = 10.0
time_constant_min_value = 0.1
"""


def by_neat(seed: int, late: Callable[[], bool]) -> float:
    """NEAT's networks differ in shape, so that each answers by itself, as its examples do it."""
    import random
    import tempfile

    import neat

    random.seed(seed)
    world = environment_of("pendulum")
    champion: list[Any] = [-1.0, None]
    generation = [0]

    def measured(net: Any, starts: np.ndarray) -> tuple[float, float]:
        state, total, good = starts, 0.0, np.zeros(starts.shape[1])
        for _ in range(world.limit):
            action = np.array([net.activate(seen)[0] for seen in world.observe(state).T.tolist()], np.float32)
            moment = world.step(state, action[None])
            state, total = moment.state, total + float(moment.reward.mean())
            good = np.where(moment.good, good + 1, 0)
        return total, float((good >= world.hold).mean())

    def evaluate(genomes: Any, config: Any) -> None:
        generation[0] += 1
        starts = world.starts(8, Stream(seed, 1, generation[0]))
        for _, genome in genomes:
            genome.fitness = -1e9 if late() else measured(neat.nn.FeedForwardNetwork.create(genome, config), starts)[0]
        best = neat.nn.FeedForwardNetwork.create(max((g for _, g in genomes), key=lambda g: g.fitness), config)
        share = 0.0 if late() else measured(best, world.starts(100, Stream(seed, 2)))[1]
        if share > champion[0]:
            champion[:] = share, best
        if late() or share >= 0.99:
            raise StopIteration

    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write(NEAT)
        file.flush()
        config = neat.Config(
            neat.DefaultGenome, neat.DefaultReproduction, neat.DefaultSpeciesSet, neat.DefaultStagnation, file.name
        )
    with contextlib.suppress(StopIteration):
        neat.Population(config).run(evaluate, 300)
    return 0.0 if champion[1] is None else measured(champion[1], world.starts(100, Stream(seed, 3)))[1]


def sphere(x: np.ndarray) -> np.ndarray:
    return (x**2).sum(axis=1)


def rosenbrock(x: np.ndarray) -> np.ndarray:
    return (100 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1 - x[:, :-1]) ** 2).sum(axis=1)


def rastrigin(x: np.ndarray) -> np.ndarray:
    return (x**2 - 10 * np.cos(2 * np.pi * x) + 10).sum(axis=1)


def ackley(x: np.ndarray) -> np.ndarray:
    root = np.exp(-0.2 * np.sqrt((x**2).mean(axis=1)))
    return -20 * root - np.exp(np.cos(2 * np.pi * x).mean(axis=1)) + 20 + np.e


FUNCTIONS = {"sphere": sphere, "Rosenbrock": rosenbrock, "Rastrigin": rastrigin, "Ackley": ackley}
# Dimension, members, limit and runs; with few members Rastrigin's function is solved by no one.
CASES = [(10, 10, 20_000, 20), (100, 17, 20_000, 20)]


def functions() -> list[dict[str, Any]]:
    """Count evaluations to 1e-8 from uniform starts within ±2, sigma 0.5, of shoal's CMA-ES and of the package cma."""
    rows = []
    for n, members, limit, runs in CASES:
        for name, function in FUNCTIONS.items():
            many = 200 if name == "Rastrigin" and n == 10 else members
            used = {who: [solve(function, n, many, limit, i) for i in range(runs)] for who, solve in SOLVERS.items()}
            median = {who: float(np.median(each)) for who, each in used.items()}
            solved = {who: sum(one < limit for one in each) for who, each in used.items()}
            case = {"function": name, "n": n, "members": many, "limit": limit, "runs": runs}
            rows.append({**case, "median": median, "solved": solved})
            print(rows[-1], flush=True)
    return rows


def solved_by_shoal(function: Callable, n: int, members: int, limit: int, seed: int) -> int:
    algorithm = CmaEs()
    state = algorithm.begin(np.random.default_rng(seed).uniform(-2, 2, n), members, 0.5, seed)
    for used in range(members, limit, members):
        candidates = algorithm.ask(state)
        values = function(candidates)
        if values.min() < 1e-8:
            return used
        state = algorithm.tell(state, candidates, -values)
    return limit


def solved_by_cma(function: Callable, n: int, members: int, limit: int, seed: int) -> int:
    import cma

    start = np.random.default_rng(seed).uniform(-2, 2, n)
    search = cma.CMAEvolutionStrategy(start, 0.5, {"popsize": members, "verbose": -9, "seed": seed + 1})
    for used in range(members, limit, members):
        asked = search.ask()
        values = function(np.array(asked))
        if values.min() < 1e-8:
            return used
        search.tell(asked, values.tolist())
    return limit


SOLVERS = {"shoal": solved_by_shoal, "cma": solved_by_cma}
PARTS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    "speed": speed, "speed_of_peers": speed_of_peers, "success": success, "peers": peers, "functions": functions,
}  # fmt: skip


def table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"| {' | '.join(row)} |" for row in (header, ("---", *["---:"] * (len(header) - 1)), *rows))
    yield ""


def million(rate: float) -> str:
    return f"{rate / 1e6:.3g}"


HEAD = """# Benchmarks of evolution

`python benchmarks/evolution.py` writes this page. One core; the machine, a virtual one of two, was shared with other
work while this was measured, so that times are of the processor where nothing else is said. The kernel ran as `KERNEL`.

## Policy steps a second and core

Millions, medians of five rounds. MEMBERS members, four starts each. The cart-pole's policies keep the pole up; the
others are random.
"""
ELSEWHERE = "Cart-pole with the same policies elsewhere, one thread of Python, JAX on all cores:\n"
LEARNT = """## What is learnt

SEEDS seeds, at most 300 generations and 30 s each, on one thread. A seed counts as solved where its champion succeeds
from at least 95 % of 1,000 starts that nobody learnt from. The mean share of successes has an interval that counts each
seed as one trial. Times are medians of the wall time of a seed, with the longest in brackets; a seed that does not
reach its target goes on to the last generation.
"""
PEERS = """## The swing-up with peers

The pendulum, processor time of one core, at most 20 s a seed. cma and pygad get the fitness of a whole generation from
shoal's kernel and the same network; NEAT-python's networks differ in shape and answer one by one, judged on 100 starts.
"""
TEST = """## CMA-ES on test functions

Evaluations until a value is below 1e-8, medians of the runs from the same starts, uniform within ±2, with sigma 0.5.
Runs that did not get there count with the limit, the same for both.
"""


def page(kept: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    kernel = best_kernel()
    yield HEAD.replace("KERNEL", kernel.name if kernel else "numpy").replace("MEMBERS", f"{MEMBERS:,}")
    rows = [(row["what"], million(row["native"]), million(row["numpy"])) for row in kept["speed"]]
    yield from table(("environment", "native", "NumPy"), rows)
    yield ELSEWHERE
    rows = [
        (row["what"], f"not installed ({row['why']})" if row["rate"] is None else million(row["rate"]))
        for row in kept["speed_of_peers"]
    ]
    yield from table(("peer", "million steps a second"), rows)
    yield LEARNT.replace("SEEDS", str(SEEDS))
    header = (
        "environment, algorithm",
        "solved",
        "mean successes in %",
        "time",
        "generations",
        "evaluations",
        "million steps",
    )
    yield from table(header, [learnt_row(row) for row in kept["success"]])
    yield PEERS
    yield from table(("who", "solved", "mean successes in %", "time"), [peer_row(row) for row in kept["peers"]])
    yield TEST
    header = "function", "shoal", "cma", "solved by shoal", "solved by cma"
    yield from table(header, [function_row(row) for row in kept["functions"]])


def learnt_row(row: dict[str, Any]) -> tuple[str, ...]:
    share = {name: 100 * row["success"][name] for name in ("value", "low", "high")}
    return (
        f"{row['environment']}, {row['algorithm']}",
        f"{row['solved']} of {SEEDS}",
        f"{share['value']:.1f} [{share['low']:.0f}, {share['high']:.0f}]",
        f"{row['seconds']:.2f} s ({row['most']:.1f} s)",
        f"{row['generations']:.0f}",
        f"{row['evaluations']:,.0f}",
        f"{row['steps'] / 1e6:.3g}",
    )


def peer_row(row: dict[str, Any]) -> tuple[str, ...]:
    if "why" in row:
        return row["peer"], f"not installed ({row['why']})", "", ""
    solved, mean = sum(share >= 0.95 for share in row["success"]), 100 * float(np.mean(row["success"]))
    return row["peer"], f"{solved} of {len(row['success'])}", f"{mean:.1f}", f"{np.median(row['seconds']):.2f} s"


def function_row(row: dict[str, Any]) -> tuple[str, ...]:
    each = [f"{row['median'][who]:,.0f}" for who in SOLVERS]
    shares = [f"{row['solved'][who]} of {row['runs']}" for who in SOLVERS]
    return (f"{row['function']} in {row['n']}, {row['members']} members, at most {row['limit']:,}", *each, *shares)


def kept_so_far() -> dict[str, list[dict[str, Any]]]:
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        measured = PARTS[part]()
        KEPT.write_text(json.dumps({**kept_so_far(), part: measured}, indent=1) + "\n")
    results = kept_so_far()
    if results.keys() >= PARTS.keys():
        PAGE.write_text("\n".join(page(results)).rstrip() + "\n", encoding="utf-8")
