"""Every environment keeps one contract, its physics is right, and the kernel computes what NumPy does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq

from shoal.errors import SettingError
from shoal.evolution.acting import act, native
from shoal.evolution.environments import ENVIRONMENTS, Environment, arm, double_pendulum, environment_of, orbit
from shoal.evolution.environments.base import runge_kutta
from shoal.networks import Network
from shoal.streams import Stream
from shoal.training.engines.native.library import KERNEL_VARIABLE, kernels

each_environment = pytest.mark.parametrize("world", ENVIRONMENTS.values(), ids=ENVIRONMENTS)
KERNELS = [kernel.name for kernel in kernels()]


def policies(world: Environment, members: int = 21, text: str = "{} 5:tanh 3:relu {}") -> tuple[Network, np.ndarray]:
    network = Network.parse(text.format(len(world.observations), len(world.actions)))
    random = np.random.default_rng(0)
    return network, random.normal(0.0, 0.6, (members, network.parameter_count)).astype(np.float32)


@each_environment
def test_shapes_are_those_of_the_names(world: Environment) -> None:
    state = world.starts(7, Stream(0))
    assert state.shape == (len(world.states), 7)
    assert state.dtype == np.float32
    seen = world.observe(state)
    assert seen.shape == (len(world.observations), 7)
    moment = world.step(state, np.zeros((len(world.actions), 7), np.float32))
    assert moment.state.shape == state.shape
    assert moment.state.dtype == seen.dtype == np.float32
    assert moment.reward.shape == moment.good.shape == moment.ended.shape == (7,)
    assert len(world.drawing(state[:, 0])) == len(world.drawing(moment.state[:, 3]))
    assert 1 <= world.hold <= world.limit


@each_environment
def test_a_start_does_not_hang_on_how_many_there_are(world: Environment) -> None:
    assert np.array_equal(world.starts(3, Stream(5)), world.starts(9, Stream(5))[:, :3])
    assert not np.array_equal(world.starts(3, Stream(5)), world.starts(3, Stream(6)))


@each_environment
def test_actions_beyond_their_range_are_drawn_in(world: Environment) -> None:
    state, large = world.starts(4, Stream(1)), np.full((len(world.actions), 4), 50.0, np.float32)
    for sign in (-1.0, 1.0):
        once, more = (world.step(state, np.float32(sign) * action) for action in (large / 50, large))
        assert np.array_equal(once.state, more.state)


@each_environment
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_kernel_equals_numpy(world: Environment, kernel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KERNEL_VARIABLE, kernel)
    network, population = policies(world)
    starts = world.starts(5, Stream(2))
    for limit, tolerance in ((1, 1e-6), (10, 2e-5), (40, 2e-3)):
        by_kernel = act(world, network, population, starts, limit=limit)
        by_numpy = act(world, network, population, starts, limit=limit, engine="numpy")
        assert by_kernel.fitness == pytest.approx(by_numpy.fitness, rel=tolerance, abs=tolerance * limit)
        assert np.array_equal(by_kernel.steps, by_numpy.steps)
        assert np.array_equal(by_kernel.success, by_numpy.success)


@pytest.mark.skipif(not KERNELS, reason="the kernel was not built")
@each_environment
def test_a_member_has_the_same_bits_alone_and_on_any_cores(world: Environment) -> None:
    network, population = policies(world)
    starts = world.starts(6, Stream(3))
    together = act(world, network, population, starts, cores=3)
    for i in (0, 7, 20):
        alone = act(world, network, population[i : i + 1], starts)
        assert np.array_equal(alone.fitness[0], together.fitness[i])
        assert np.array_equal(alone.steps[0], together.steps[i])
    one = act(world, network, population[:1], starts[:, 2:3])
    assert one.fitness[0, 0] == together.fitness[0, 2]


@pytest.mark.skipif(not KERNELS, reason="the kernel was not built")
@pytest.mark.parametrize("activation", ["linear", "relu", "sigmoid", "softsign", "gelu", "elu"])
def test_policies_of_any_activation_and_depth_act_alike(activation: str) -> None:
    world = environment_of("arm")
    network, population = policies(world, 9, f"{{}} 7:{activation} 5:{activation} {{}}:tanh")
    assert native(world, network)
    starts = world.starts(3, Stream(4))
    by_kernel = act(world, network, population, starts, limit=20)
    by_numpy = act(world, network, population, starts, limit=20, engine="numpy")
    assert by_kernel.fitness == pytest.approx(by_numpy.fitness, abs=2e-3)


def test_layers_that_the_kernel_lacks_are_left_to_numpy() -> None:
    world = environment_of("cart-pole")
    network = Network.parse("4 6:softmax 1")
    assert not native(world, network)
    population = np.random.default_rng(0).normal(size=(3, network.parameter_count))
    assert act(world, network, population, world.starts(2, Stream(0))).steps.min() >= 1


def test_parameters_that_overflow_give_no_fitness_rather_than_an_error() -> None:
    world = environment_of("pendulum")
    network = Network.parse("3 4 1")
    population = np.full((2, network.parameter_count), np.nan, np.float32)
    assert np.isnan(act(world, network, population, world.starts(2, Stream(0))).fitness).all()


def rolled(world: Environment, state: np.ndarray, steps: int) -> np.ndarray:
    for _ in range(steps):
        state = world.step(state, np.zeros((len(world.actions), state.shape[1]), state.dtype)).state
    return state


def arm_energy(state: np.ndarray) -> np.ndarray:
    """Return the kinetic energy in J, which nothing but the motors changes."""
    elbow, w1, w2 = np.asarray(state[1:4], np.float64)
    m11, m12 = arm.BOTH + 2 * arm.COUPLING * np.cos(elbow), arm.FAR + arm.COUPLING * np.cos(elbow)
    return np.asarray(0.5 * m11 * w1**2 + m12 * w1 * w2 + 0.5 * arm.FAR * w2**2)


def pendulum_energy(state: np.ndarray) -> np.ndarray:
    """Return the kinetic and potential energy in J, which nothing but the motor changes."""
    angle, bend, w1, w2 = np.asarray(state, np.float64)
    both = w1 + w2
    kinetic = 0.5 * (1.25 * w1**2 + 1.0 * w1**2 + 1.25 * both**2) + 0.5 * w1 * both * np.cos(bend)
    return np.asarray(kinetic - double_pendulum.GRAVITY * (1.5 * np.cos(angle) + 0.5 * np.cos(angle + bend)))


def orbit_energy(state: np.ndarray) -> np.ndarray:
    """Return the energy for each mass, which nothing but the engine changes."""
    x, y, u, v = np.asarray(state, np.float64)
    return np.asarray(0.5 * (u**2 + v**2) - 1 / np.hypot(x, y))


def angular_momentum(state: np.ndarray) -> np.ndarray:
    """Return the angular momentum for each mass, which nothing but the engine changes."""
    x, y, u, v = np.asarray(state, np.float64)
    return np.asarray(x * v - y * u)


def test_without_torque_the_double_pendulum_keeps_its_energy() -> None:
    world = environment_of("balance")
    start = np.array([[1.0, -2.0], [0.4, 1.0], [0.3, 0.0], [-0.2, 1.0]])
    assert pendulum_energy(rolled(world, start, 500)) == pytest.approx(pendulum_energy(start), rel=1e-4)


def test_without_torque_the_arm_keeps_its_energy_and_its_angular_momentum() -> None:
    world = environment_of("arm")
    start = np.array([[0.3], [1.0], [2.0], [-3.0], [0.5], [0.0]])
    later = rolled(world, start, 200)
    assert arm_energy(later) == pytest.approx(arm_energy(start), rel=1e-5)

    def momentum(state: np.ndarray) -> float:  # conjugate to the shoulder, on which nothing depends
        m11, m12 = arm.BOTH + 2 * arm.COUPLING * np.cos(state[1]), arm.FAR + arm.COUPLING * np.cos(state[1])
        return float((m11 * state[2] + m12 * state[3])[0])

    assert momentum(later) == pytest.approx(momentum(start), rel=1e-5)


def test_torque_does_the_work_that_the_arm_gains() -> None:
    state = np.array([[0.3], [1.0], [0.2], [-0.1], [0.5], [0.0]])
    torque, work, gained = np.array([0.4, -0.2]), 0.0, arm_energy(state)
    for _ in range(400):
        later = runge_kutta(state, 0.002, lambda at: arm.slopes(at, torque[:1], torque[1:]))
        work += float(torque @ (later[:2, 0] - state[:2, 0]))
        state = later
    assert float(arm_energy(state)[0] - gained[0]) == pytest.approx(work, rel=1e-6)


def kepler(start: np.ndarray, time: float) -> np.ndarray:
    """Return where a body on an ellipse about a mass with GM = 1 is, by Kepler's equation."""
    position, velocity = start[:2], start[2:]
    distance = np.hypot(*position)
    axis = 1 / (2 / distance - velocity @ velocity)
    excess = (velocity @ velocity - 1 / distance) * position - (position @ velocity) * velocity
    e = np.hypot(*excess)
    along, across = excess / e, np.array([-excess[1], excess[0]]) / e
    anomaly = np.arctan2(position @ across / np.sqrt(1 - e**2), position @ along + axis * e)
    mean = anomaly - e * np.sin(anomaly) + time / axis**1.5
    later = brentq(lambda u: u - e * np.sin(u) - mean, mean - 2, mean + 2, xtol=1e-14)
    return axis * ((np.cos(later) - e) * along + np.sqrt(1 - e**2) * np.sin(later) * across)


@pytest.mark.parametrize("steps", [1, 37, 250])
def test_without_thrust_an_orbit_is_that_of_kepler(steps: int) -> None:
    world = environment_of("orbit")
    start = np.array([0.9, 0.2, -0.3, 1.1])
    later = rolled(world, start[:, None], steps)[:, 0]
    assert later[:2] == pytest.approx(kepler(start, steps * world.dt), abs=2e-4)
    assert orbit_energy(later) == pytest.approx(orbit_energy(start), rel=1e-5)
    assert angular_momentum(later) == pytest.approx(angular_momentum(start), rel=1e-5)


def test_thrust_along_the_orbit_raises_its_angular_momentum_as_it_should() -> None:
    world = environment_of("orbit")
    state = np.array([[1.0], [0.0], [0.0], [1.0]])
    raised, before = 0.0, float(angular_momentum(state)[0])
    for _ in range(100):
        later = world.step(state, np.array([[0.0], [1.0]])).state
        raised += orbit.THRUST * world.dt * float(np.hypot(*state[:2])[0] + np.hypot(*later[:2])[0]) / 2
        state = later
    assert float(angular_momentum(state)[0]) - before == pytest.approx(raised, rel=1e-4)


@pytest.mark.parametrize(
    ("name", "theirs", "actions"),
    [
        ("cart-pole", "CartPole-v1", {0: -1.0, 1: 1.0}),
        ("acrobot", "Acrobot-v1", {0: -1.0, 1: 0.0, 2: 1.0}),
        ("pendulum", "Pendulum-v1", None),
    ],
)
def test_physics_and_rewards_are_those_of_gymnasium(name: str, theirs: str, actions: dict | None) -> None:
    gymnasium = pytest.importorskip("gymnasium")
    world, other = environment_of(name), gymnasium.make(theirs)
    random = np.random.default_rng(0)
    for episode in range(5):
        seen, _ = other.reset(seed=episode)
        state = np.asarray(other.unwrapped.state, np.float64)[:, None]
        for _ in range(60):
            assert world.observe(state)[:, 0] == pytest.approx(seen, abs=2e-5)
            if actions is None:
                action = random.uniform(-2, 2, 1).astype(np.float32)
                ours = action / 2
            else:
                action = int(random.choice(list(actions)))
                ours = np.array([actions[action]])
            moment = world.step(state, ours[:, None])
            seen, reward, ended, _, _ = other.step(action)
            assert moment.reward[0] == pytest.approx(reward, abs=2e-4)
            assert moment.ended[0] == ended
            if ended:
                break
            state = np.asarray(other.unwrapped.state, np.float64)[:, None]
            assert world.observe(moment.state)[:, 0] == pytest.approx(world.observe(state)[:, 0], abs=2e-5)


def test_an_unknown_environment_gets_a_suggestion() -> None:
    with pytest.raises(SettingError, match="Did you mean 'pendulum'"):
        environment_of("pendulums")
