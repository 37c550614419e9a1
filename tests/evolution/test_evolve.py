"""`shoal.evolve` learns, judges honestly, bears bad fitness, and writes what it says."""

from __future__ import annotations

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import shoal
from shoal.errors import DataError, NetworkError, RunError, SettingError
from shoal.evolution.acting import act
from shoal.evolution.environments import environment_of
from shoal.evolution.policy import Policies, Policy, averaged
from shoal.evolution.populations import outputs, parameters_of, vector_of
from shoal.evolution.tasks import Part, task_of
from shoal.networks import Network
from shoal.streams import Stream

SIX = "4 5:tanh 1:tanh"


@pytest.fixture(scope="module")
def cart_pole(tmp_path_factory: pytest.TempPathFactory):
    return shoal.evolve("cart-pole", SIX, seeds=2, generations=30, out=tmp_path_factory.mktemp("runs") / "cart-pole")


def test_a_population_learns_to_balance_a_pole(cart_pole) -> None:
    assert [each.test.solved for each in cart_pole.champions] == [True, True]
    assert cart_pole.champion.network.parameter_count == 31


@pytest.mark.slow
def test_swing_up_is_learnt_by_at_least_nine_of_ten_seeds() -> None:
    run = shoal.evolve("pendulum", seeds=10)
    assert sum(bool(each.test.solved) for each in run.champions) >= 9
    assert run.together.solved.low > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("algorithm", ["genetic", "cma-es", "openai-es"])
@pytest.mark.parametrize("world", ["cart-pole", "acrobot", "orbit"])
def test_each_algorithm_learns_the_easier_environments(world: str, algorithm: str) -> None:
    assert shoal.evolve(world, algorithm=algorithm, generations=80, seed=1).best.test.solved


def test_champions_are_judged_on_starts_that_nobody_learnt_from() -> None:
    task = task_of("pendulum", None)
    starts = [
        task.starts(part, 0, generation)
        for part, generation in ((Part.TRAINING, 1), (Part.SELECTION, 0), (Part.TEST, 0))
    ]
    columns = [{tuple(start) for start in each.T.tolist()} for each in starts]
    assert [len(each) for each in columns] == [8, 100, 1000]
    assert not (columns[0] & columns[2]) | (columns[1] & columns[2]) | (columns[0] & columns[1])
    assert not np.array_equal(task.starts(Part.TRAINING, 0, 1), task.starts(Part.TRAINING, 0, 2))


def test_what_is_said_of_a_champion_is_measured_again(cart_pole) -> None:
    best, world = cart_pole.best, environment_of("cart-pole")
    starts = world.starts(1000, Stream(0, int(Part.TEST), 0))
    again = act(world, cart_pole.network, best.learnt.champion[None], starts)
    assert best.test.success.value == again.success.mean()
    assert best.test.fitness.value == pytest.approx(again.fitness.mean())
    steps = cart_pole.behaviour()
    assert steps["rewards"].sum() == again.fitness[0, 0]


def test_the_same_seed_learns_the_same_and_another_does_not() -> None:
    runs = [shoal.evolve("pendulum", generations=4, population=16, seed=seed) for seed in (3, 3, 4)]
    assert runs[0].log.equals(runs[1].log)
    assert np.array_equal(runs[0].champion.vector, runs[1].champion.vector)
    assert not np.array_equal(runs[0].champion.vector, runs[2].champion.vector)


def test_the_cores_do_not_change_what_is_learnt() -> None:
    one, two = (shoal.evolve("arm", generations=3, population=20, cores=cores) for cores in (1, 2))
    assert np.array_equal(one.champion.vector, two.champion.vector)


def quadratic(parameters: np.ndarray) -> np.ndarray:
    return -((parameters - 0.5) ** 2).sum(axis=1)


def test_a_function_of_the_parameters_is_learnt_up_to_a_target() -> None:
    run = shoal.evolve(quadratic, "2 2", algorithm="cma-es", target=-1e-6)
    assert run.champion.vector == pytest.approx(np.full(6, 0.5), abs=1e-2)
    assert "target was reached" in str(run)
    assert "same fitness that it learnt from" in str(run)


def test_a_function_of_the_policies_gets_the_actions_of_all_at_once() -> None:
    x = np.linspace(-1, 1, 20)[:, None]

    def fitness(policy: Policies) -> np.ndarray:
        said = policy(np.broadcast_to(x, (len(policy), *x.shape)))
        return -((said[..., 0] - x[:, 0] ** 2) ** 2).mean(axis=1)

    run = shoal.evolve(fitness, "1 6:tanh 1", algorithm="cma-es", generations=150)
    assert run.best.test.fitness.value > -0.01
    assert run.champion(x)[:, 0] == pytest.approx(x[:, 0] ** 2, abs=0.3)


def test_a_noisy_function_gets_other_seeds_for_judging() -> None:
    seen: dict[int, int] = {}

    def fitness(parameters: np.ndarray, seed: int) -> np.ndarray:
        seen[seed] = len(parameters)
        return np.random.default_rng(seed).normal(size=len(parameters))

    run = shoal.evolve(fitness, "2 1", population=8, generations=5)
    assert run.best.test.starts == 32
    assert len(seen) == 5 + 8 + 32


def test_members_for_which_a_function_raises_are_the_worst_counted_and_told() -> None:
    def fitness(parameters: np.ndarray) -> np.ndarray:
        if (parameters[:, 0] > 0).any():
            raise ArithmeticError("too hot")
        return parameters[:, 0]

    run = shoal.evolve(fitness, "1 1", population=16, generations=12, sigma=3.0)
    failed = sum(one.failed for each in run.champions for one in each.learnt.generations)
    assert failed > 0
    assert "too hot" in str(run)
    assert f"{failed} evaluations had no fitness" in str(run)
    assert run.champion.vector[0] <= 0


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_members_without_a_finite_fitness_are_the_worst(bad: float) -> None:
    def fitness(parameters: np.ndarray) -> np.ndarray:
        return np.where(parameters[:, 0] > 0, bad, parameters[:, 0])

    run = shoal.evolve(fitness, "1 1", population=16, generations=6, sigma=3.0)
    assert "not a finite number" in str(run)
    assert run.champion.vector[0] <= 0


def test_generations_without_variance_are_told() -> None:
    run = shoal.evolve(lambda parameters: np.zeros(len(parameters)), "1 1", population=8, generations=3)
    assert "In 3 generations all members had the same fitness" in str(run)


@pytest.mark.parametrize(
    ("fitness", "message"),
    [
        (lambda parameters: np.zeros((len(parameters), 2)), r"shape \(256,\).* got shape \(256, 2\)"),
        (lambda parameters: 1.0, r"shape \(256,\)"),
        (lambda parameters: "no", "256 numbers, one for each member, got str"),
        (lambda parameters: np.full(len(parameters), np.nan), "no finite number for any member of generation 1"),
        (lambda parameters: 1 / 0, r"failed in .*test_evolve.py, line \d+.*ZeroDivisionError"),
        (lambda one, two: one, r"must take \(parameters\)"),
        (3, "got int"),
    ],
)
def test_a_fitness_that_makes_no_sense_is_refused_in_words(fitness, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.evolve(fitness, "2 1", generations=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 3}, "population must be a whole number of at least 4"),
        ({"population": 2_000_000_000}, "Choose a smaller population"),
        ({"generations": 0}, "generations must be a whole number of at least 1"),
        ({"seeds": 0}, "seeds must be"),
        ({"seed": -1}, "seed must be"),
        ({"sigma": 0.0}, "sigma must be a number above 0"),
        ({"episodes": 1.5}, "episodes must be"),
        ({"minutes": 0}, "minutes must be above 0"),
        ({"algorithm": "cma"}, "no algorithm is called 'cma'"),
        ({"algorithm": "cma-es", "selection": "tournament"}, "cma-es has no option 'selection'; it has none"),
        ({"learning_rate": 1.0}, "genetic has no option 'learning_rate'; it has selection"),
    ],
)
def test_arguments_that_make_no_sense_are_refused_in_words(options: dict, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        shoal.evolve("cart-pole", **options)


def test_a_network_of_other_sizes_is_refused_with_one_that_fits() -> None:
    with pytest.raises(
        NetworkError, match=r"from 3 observations to 1 outputs, got one from 4 to 2. Write '3 16:tanh 1'"
    ):
        shoal.evolve("pendulum", "4 8:tanh 2")
    with pytest.raises(SettingError, match="a fitness function needs a network"):
        shoal.evolve(quadratic)


def test_time_ends_a_seed() -> None:
    run = shoal.evolve("pendulum", "3 4 1", population=8, generations=100_000, target=2.0, minutes=0.005)
    assert "the time was over" in str(run)


def test_an_executor_shares_the_members() -> None:
    with ThreadPoolExecutor(2) as executor:
        shared = shoal.evolve(quadratic, "2 2", population=11, generations=5, executor=executor)
    assert shared.log.equals(shoal.evolve(quadratic, "2 2", population=11, generations=5).log)


def test_iris_is_learnt_by_evolution_too() -> None:
    from sklearn.datasets import load_iris

    x, y = load_iris(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    run = shoal.evolve((x, y), generations=60, every=10)
    assert run.best.test.starts == 30
    assert run.best.test.success.value > 0.85


@pytest.mark.parametrize("y", [np.zeros((5, 1)), np.full(20, np.nan)])
def test_a_table_that_cannot_be_learnt_is_refused(y: np.ndarray) -> None:
    with pytest.raises(DataError):
        shoal.evolve((np.zeros((20, 2)), y))


def test_ask_and_tell_reach_what_evolve_reaches() -> None:
    search = shoal.Evolution("2 2", algorithm="cma-es", seed=7)
    for _ in range(20):
        search.tell(quadratic(search.ask()))
    run = shoal.evolve(quadratic, "2 2", algorithm="cma-es", generations=20, seed=7)
    assert vector_of(search.network, search.mean) == pytest.approx(run.mean.vector)
    assert search.best_fitness == pytest.approx(max(run.log["best"]))


def test_telling_what_was_not_asked_is_refused() -> None:
    search = shoal.Evolution("2 1", population=8)
    with pytest.raises(SettingError, match="tell comes after ask"):
        search.tell(np.zeros(8))
    search.ask()
    with pytest.raises(DataError, match=r"shape \(8,\), one number for each member, got \(7,\)"):
        search.tell(np.zeros(7))


def test_outputs_of_a_population_are_those_of_each_network() -> None:
    network, random = Network.parse("3 5:tanh 4:softmax"), np.random.default_rng(0)
    population = random.normal(size=(6, network.parameter_count)).astype(np.float32)
    rows = random.normal(size=(6, 7, 3)).astype(np.float32)
    said = outputs(network, population, rows)
    for member, seen, theirs in zip(population, rows, said, strict=True):
        assert theirs == pytest.approx(network.predict(parameters_of(network, member), seen), abs=1e-6)


def test_the_mean_of_champions_is_one_network() -> None:
    network = Network.parse("3 5:tanh 4:relu 2:tanh")
    vectors = [vector_of(network, network.initialize(seed)) for seed in range(3)]
    together, vector = averaged(network, vectors)
    x = np.random.default_rng(0).normal(size=(9, 3))
    each = [network.predict(parameters_of(network, one), x) for one in vectors]
    assert together.predict(parameters_of(together, vector), x) == pytest.approx(np.mean(each, axis=0), abs=1e-6)


def test_the_folder_holds_what_was_said(cart_pole) -> None:
    folder = cart_pole.path
    said = json.loads((folder / "evolution.json").read_text())
    assert said["environment"] == "cart-pole"
    assert said["champions"][0]["test"]["success"]["value"] == cart_pole.champions[0].test.success.value
    assert len((folder / "log.csv").read_text().splitlines()) == 1 + len(cart_pole.log)
    loaded, x = Policy.load(folder / "model"), np.random.default_rng(0).normal(size=(5, 4))
    assert np.array_equal(loaded(x), cart_pole.champion(x))
    assert (folder / "ensemble").is_dir()
    page = (folder / "report.html").read_text()
    assert "<animate " in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_the_same_run_writes_the_same_files(tmp_path: Path) -> None:
    for name in ("a", "b"):
        shoal.evolve("cart-pole", "4 3:tanh 1", generations=3, population=8, out=tmp_path / name)
    for path in sorted((tmp_path / "a").rglob("*")):
        if path.is_file() and path.name not in ("evolution.json", "report.html"):  # those tell the seconds
            assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes(), path.name


def test_a_folder_is_replaced_only_if_it_holds_an_evolution(tmp_path: Path) -> None:
    options = {"generations": 1, "population": 8}
    shoal.evolve("cart-pole", out=tmp_path / "run", **options)
    with pytest.raises(RunError, match="is not empty"):
        shoal.evolve("cart-pole", out=tmp_path / "run", **options)
    shoal.evolve("cart-pole", out=tmp_path / "run", force=True, **options)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="holds no evolution"):
        shoal.evolve("cart-pole", out=tmp_path / "other", force=True, **options)


def test_a_damaged_policy_is_told(cart_pole, tmp_path: Path) -> None:
    shutil.copytree(cart_pole.path / "model", tmp_path / "model")
    path = tmp_path / "model" / "model.json"
    path.write_text(path.read_text().replace("cart-pole", "cart-pool"))
    with pytest.raises(RunError, match="damaged"):
        Policy.load(tmp_path / "model")


@pytest.mark.parametrize("ending", [".gif", ".svg"])
def test_animations_show_every_frame(cart_pole, tmp_path: Path, ending: str) -> None:
    path = cart_pole.animate(tmp_path / f"champion{ending}")
    if ending == ".gif":
        from PIL import Image

        with Image.open(path) as image:
            assert image.n_frames > 10
            image.seek(5)
            assert len(image.convert("RGB").getcolors(10_000)) > 3
    else:
        assert path.read_text().count("<animate ") >= 3
    with pytest.raises(SettingError, match=r"ends in .gif or .svg"):
        cart_pole.animate(tmp_path / "champion.mp4")


@pytest.mark.parametrize("ending", [".c", ".py"])
def test_exported_champions_agree(cart_pole, tmp_path: Path, ending: str) -> None:
    written = cart_pole.export(tmp_path / f"champion{ending}")
    assert written.agreement.holds or (ending == ".c" and shutil.which("cc") is None)
    with pytest.raises(RunError, match="exists"):
        cart_pole.export(tmp_path / f"champion{ending}")


ROBOT = r"""
#include <math.h>
#include <stdio.h>
#include "champion.h"
int main(void) {
    float s[4] = {START};
    int t;
    for (t = 0; t < 500; ++t) {
        champion_answer answer;
        float work[CHAMPION_WORK];
        champion_predict(s, &answer, work);
        float force = answer.action[0] > 0 ? 10.0f : -10.0f, sine = sinf(s[2]), cosine = cosf(s[2]);
        float push = (force + 0.05f * s[3] * s[3] * sine) / 1.1f;
        float turn = (9.8f * sine - cosine * push) / (0.5f * (4.0f / 3.0f - 0.1f / 1.1f * cosine * cosine));
        float linear = push - 0.05f / 1.1f * turn * cosine;
        s[0] += 0.02f * s[1], s[1] += 0.02f * linear, s[2] += 0.02f * s[3], s[3] += 0.02f * turn;
        if (fabsf(s[0]) > 2.4f || fabsf(s[2]) > 0.20943951f) break;
        if (t < 50) printf("%.6f\n", s[2]);
    }
    printf("%d\n", t);
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_a_controller_of_six_neurons_balances_the_pole_in_c(cart_pole, tmp_path: Path) -> None:
    cart_pole.export(tmp_path / "champion.c")
    shown = cart_pole.behaviour()["states"]
    start = ", ".join(f"{value!r}f" for value in shown[0].astype(float).tolist())
    (tmp_path / "robot.c").write_text(ROBOT.replace("START", start))
    command = ["cc", "-std=c99", "-O2", "robot.c", "champion.c", "-o", "robot", "-lm"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    ran = subprocess.run([tmp_path / "robot"], capture_output=True, text=True, check=True, timeout=60)
    *angles, steps = ran.stdout.split()
    assert int(steps) == 500
    assert np.array(angles, float) == pytest.approx(shown[1:51, 2], abs=1e-4)


def test_environments_of_gymnasium_are_learnt() -> None:
    gymnasium = pytest.importorskip("gymnasium")
    run = shoal.evolve("gymnasium:CartPole-v1", SIX, population=24, generations=4, episodes=2, limit=200, every=4)
    assert run.best.test.fitness.value > 60
    assert run.best.test.starts == 100
    single = task_of(gymnasium.make("CartPole-v1"), None, episodes=2, limit=50)
    vector = task_of(
        gymnasium.make_vec("CartPole-v1", num_envs=5, vectorization_mode="sync"), None, episodes=2, limit=50
    )
    network = Network.parse(SIX)
    population = np.random.default_rng(0).normal(size=(7, network.parameter_count))
    ours = single.measure(network, population, Part.TRAINING, 0, 1)
    theirs = vector.measure(network, population, Part.TRAINING, 0, 1)
    assert np.array_equal(ours.fitness, theirs.fitness)
    assert ours.steps == theirs.steps


def test_boxes_of_gymnasium_get_actions_in_their_range() -> None:
    gymnasium = pytest.importorskip("gymnasium")
    task = task_of("gymnasium:Pendulum-v1", None, episodes=1)
    assert task.act(np.array([[-5.0], [0.0], [0.5]])).ravel().tolist() == [-2.0, 0.0, 1.0]
    with pytest.raises(SettingError, match="Gymnasium has no environment 'Nothing-v0'"):
        task_of("gymnasium:Nothing-v0", None)
    with pytest.raises(SettingError, match="expected a Box of one axis"):
        task_of(gymnasium.make("Taxi-v4") if "Taxi-v4" in gymnasium.registry else gymnasium.make("Taxi-v3"), None)
