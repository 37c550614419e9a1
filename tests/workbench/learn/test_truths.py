"""Numbers that figures print and draw, beside truths that are known otherwise."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from shoal.data.builtin.sets import BUILTIN
from shoal.networks import Network
from shoal.workbench.learn import get_figure
from shoal.workbench.learn.contours import contours
from shoal.workbench.learn.drawing import plain
from shoal.workbench.learn.figure_data import builtin_data
from shoal.workbench.learn.figures import (
    activations,
    autoencoder,
    boundaries,
    collapse,
    convolution,
    evolution,
    knobs,
    l2,
    learning_rate,
    losses,
    lstm,
    optimizers,
    overfitting,
    pooling,
    recurrence,
    wide_narrow,
)
from shoal.workbench.learn.population import train_population


def facts(name: str, **state: Any) -> dict[str, str]:
    return dict(map(tuple, get_figure(name).draw(state)["facts"]))


def marks(panel: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [mark for mark in panel["marks"] if mark["m"] == kind]


def test_neuron_says_the_sum_and_its_line_is_where_that_is_zero() -> None:
    made = get_figure("neuron").draw({"w1": 1.0, "w2": -2.0, "b": -1.0, "x1": 2.0, "x2": 0.25})
    assert dict(made["facts"])["z at the green point"] == "0.50"
    (drawn,) = marks(made["panels"][0], "segments")
    x, y = np.array(drawn["parts"][0])[:, :2].T
    assert np.allclose(x - 2.0 * y - 1.0, 0.0, atol=2e-3)


def test_contours_of_a_circle_and_of_a_saddle() -> None:
    axis = np.linspace(-2.0, 2.0, 161)
    x, y = np.meshgrid(axis, axis)
    pieces = contours(x**2 + y**2 - 1.0, axis, axis)
    assert np.allclose(np.hypot(pieces[:, 0], pieces[:, 1]), 1.0, atol=1e-3)
    length = np.hypot(pieces[:, 2] - pieces[:, 0], pieces[:, 3] - pieces[:, 1]).sum()
    assert length == pytest.approx(2.0 * np.pi, rel=1e-3)
    assert len(contours(np.array([[1.0, -1.0], [-1.0, 1.0]]), axis[:2], axis[:2])) == 2
    assert len(contours(np.ones((3, 3)), axis[:3], axis[:3])) == 0


def test_collapse_is_the_product_of_the_matrices() -> None:
    data = builtin_data("classes", "exclusive_or")
    for trained in (False, True):
        parameters = collapse.weights(Network.parse("2 5:linear 1"), 3, trained, data)
        (w1, b1), (w2, b2) = [(p["kernel"].T.astype(float), p["bias"].astype(float)) for p in parameters]
        made = get_figure("hidden-layer").draw({"hidden": 5, "seed": 3, "trained": trained})
        merged = next(panel for panel in made["panels"] if panel["type"] == "grid")
        shown = np.array([[float(text) for text in row] for row in merged["texts"]])
        assert np.allclose(shown, np.hstack([w2 @ w1, (w2 @ b1 + b2)[:, None]]), atol=6e-4)
        assert float(dict(made["facts"])["Largest difference of the outputs"]) < 1e-5
    bent = get_figure("hidden-layer").draw({"activation": "relu"})
    assert dict(bent["facts"])["Layers"] == "2"


def test_a_bend_solves_the_exclusive_or_and_a_line_does_not() -> None:
    says = [get_figure("hidden-layer").draw({"activation": bend, "hidden": 6})["say"] for bend in ("linear", "tanh")]
    line, bend = (float(text.split("%")[0].split()[-1]) for text in says)
    assert line < 75.0 < 95.0 < bend


@pytest.mark.parametrize("name", activations.NAMES)
def test_slopes_of_activations(name: str) -> None:
    exact = {"sigmoid": 0.25, "tanh": 1.0, "gelu": 0.5, "swish": 0.5, "softplus": 0.5, "linear": 1.0}
    if name in exact:
        assert float(activations.slope(name, 0.0)) == pytest.approx(exact[name], abs=1e-6)
    else:
        assert float(activations.slope(name, 2.0)) == pytest.approx(1.0, abs=1e-6)
    if name == "sigmoid":
        assert (
            get_figure("activations")
            .draw({"z": 0.0, "layers": 10})["say"]
            .endswith(f"{0.25**10:.2g} of a gradient is left.")
        )


def test_parameters_of_the_wide_and_the_narrow_network() -> None:
    panels = get_figure("wide-narrow").draw({"epochs": 10})["panels"]
    assert [p["title"] for p in panels if p["type"] == "diagram"] == [
        "1-4-4-1: 33 parameters",
        "1-2-2-2-2-1: 25 parameters",
    ]
    assert [len(panel["arrows"]) for panel in panels if panel["type"] == "diagram"] == [24, 16]
    assert all(len(marks(panels[k], "lines")[0]["y"]) == wide_narrow.SEEDS == 200 for k in (1, 3))
    assert sum(marks(panels[4], "bars")[0]["y"]) == 200


def test_losses_of_a_residual_and_best_predictions() -> None:
    labels = np.append(losses.OTHERS, 3.0)
    assert facts("losses", residual=3.0, loss="mse")["Best prediction"] == f"{labels.mean():.2f}"[:-1] + "2"
    below, above = np.sort(labels)[3:5]
    assert below <= float(facts("losses", residual=3.0, loss="mae")["Best prediction"]) <= above
    assert facts("losses", residual=3.0, loss="huber", delta=1.0)["Loss"] == "2.500"
    assert facts("losses", residual=1.0, loss="logcosh")["Loss"] == f"{np.log(np.cosh(1.0)):.3f}"


def test_networks_on_the_surface_go_as_gradient_descent_by_hand() -> None:
    data = builtin_data("curve", "bend")
    way = learning_rate.ways(-2.0, 2.5, data)
    x, y = data.x[:, 0].astype(float), data.y[:, 0].astype(float)
    for member in (10, 50, 70):
        w1, w2, rate = -2.0, 2.5, learning_rate.RATES[member]
        for epoch in range(31):
            assert way[epoch, member] == pytest.approx([w1, w2], abs=2e-3)
            t = np.tanh(w1 * x)
            error = w2 * t - y
            slopes = np.mean(2 * error * w2 * (1 - t**2) * x), np.mean(2 * error * t)
            w1, w2 = w1 - rate * slopes[0], w2 - rate * slopes[1]
    here = learning_rate.cost(way[30, 50, 0], way[30, 50, 1], data)
    assert here == pytest.approx(np.mean((way[30, 50, 1] * np.tanh(way[30, 50, 0] * x) - y) ** 2))


def test_optimizers_follow_the_rules_of_the_course() -> None:
    ways = optimizers.race("narrow", (-4.0, 0.8), 1.0)
    factor = 1.0 - 0.03 * optimizers.STEEP
    assert np.allclose(ways["descent"], np.array([-4.0, 0.8]) * factor ** np.arange(201)[:, None])
    w, v = np.array([-4.0, 0.8]), np.zeros(2)
    for step in range(60):
        assert np.allclose(ways["momentum"][step], w)
        v = 0.9 * v - 0.03 * optimizers.STEEP * w
        w = w + v
    assert np.allclose(np.abs(ways["Adam"][1] - ways["Adam"][0]), 0.3, rtol=1e-4)  # the first step is as long as η


@pytest.mark.parametrize("valley", optimizers.VALLEYS)
def test_slopes_of_valleys(valley: str) -> None:
    _, cost, slope = optimizers.VALLEYS[valley]
    w = np.array([1.3, -0.4])
    for k, step in enumerate(1e-6 * np.eye(2)):
        assert slope(w)[k] == pytest.approx(float(cost(w + step) - cost(w - step)) / 2e-6, rel=1e-6)


def test_larger_networks_fit_the_training_rows_better_and_new_rows_no_better() -> None:
    loss, beside, _ = overfitting.trained(builtin_data("curve", "noisy_sine"), 16, 600, "tanh")
    small, large = 0, len(overfitting.WIDTHS) - 2
    assert np.median(loss[large]) < 0.5 * np.median(loss[small])
    assert np.median(beside[large]) > 1.5 * np.median(loss[large])
    assert np.median(beside, axis=1).argmin() < large


def test_cost_of_equation_1_10_is_what_the_engine_makes_small() -> None:
    data, strength = builtin_data("curve", "noisy_sine"), 20.0
    rows = l2.rows_of(data)
    x, y = data.x[rows], data.y[rows]
    settings = [{"epochs": 1, "learning_rate": 1e-12, "batch_size": len(rows), "l2": strength, "optimizer": "sgd"}]
    done = train_population(x, y, settings, network=l2.NETWORK)
    mean = float(np.mean((done.predict(x)[0] - y) ** 2))
    kernels = [layer["kernel"].astype(float) for layer in done.parameters[0]]
    term = strength / (2 * l2.WEIGHTS) * sum(np.sum(kernel**2) for kernel in kernels)
    assert l2.penalty(done.parameters[0], strength) == pytest.approx(term, rel=1e-6)
    assert sum(kernel.size for kernel in kernels) == l2.WEIGHTS
    small, steps = train_population(x, y, [{**settings[0], "learning_rate": 1e-3}], network=l2.NETWORK), 1e-3
    before, after = (
        np.concatenate([layer["kernel"].ravel() for layer in each.parameters[0]]) for each in (done, small)
    )
    free = [{**settings[0], "learning_rate": 1e-3, "l2": 0.0}]
    without = train_population(x, y, free, network=l2.NETWORK)
    plain_step = np.concatenate([layer["kernel"].ravel() for layer in without.parameters[0]])
    assert np.allclose(
        after - plain_step, -steps * strength / l2.WEIGHTS * before, atol=1e-6
    )  # the slope of the penalty
    printed = facts("l2", strength=strength)
    assert float(printed["Cost J"]) == pytest.approx(
        float(printed["Mean loss"]) + float(printed["λ/(2k) Σ w²"]), abs=2e-4
    )
    assert mean > 0.0


def test_a_large_penalty_leaves_no_weights_and_the_mean() -> None:
    assert float(facts("l2", strength=1000.0)["Root mean square of the weights"]) < 0.05
    assert float(facts("l2", strength=0.01)["Root mean square of the weights"]) > 0.2


def test_convolution_of_figure_5_of_the_notes() -> None:
    made = get_figure("convolution").draw({"step": 25})
    rows = ["14341", "12433", "12341", "13311", "33110"]
    assert made["panels"][2]["texts"] == [list(row) for row in rows]
    assert facts("convolution", stride=2)["Size"] == "7 × 7 → 3 × 3"
    assert facts("convolution", stride=2, padding="same")["Size"] == "7 × 7 → 4 × 4"


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_window_of_a_convolution_lies_where_the_layer_looks(padding: str, stride: int) -> None:
    figure = get_figure("convolution")
    image, kernel = np.array(convolution.IMAGE.default).reshape(7, 7), np.arange(9.0).reshape(3, 3)
    state = figure.defaults | {
        "padding": padding,
        "stride": stride,
        "b": 0.5,
        "filter": "own",
        "kernel": tuple(kernel.ravel()),
    }
    result = convolution.convolved(image, kernel, state)
    for step in range(1, result.size + 1):
        made = figure.draw(state | {"step": step})
        row, column, height, width = (int(v) for v in made["panels"][0]["boxes"][0])
        padded = np.pad(image, 4)[row + 4 : row + 4 + height, column + 4 : column + 4 + width]
        by_hand = float((padded * kernel).sum() + 0.5)
        i, j = (int(v) for v in made["panels"][2]["boxes"][0][:2])
        assert result[i, j] == pytest.approx(by_hand, abs=1e-5)
        assert f"= {by_hand:.0f}" in made["say"] or f"= {by_hand:.1f}" in made["say"]


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("kind", ["max", "min", "mean"])
def test_pooling_is_what_its_name_says(kind: str, padding: str) -> None:
    image = np.random.default_rng(0).integers(0, 10, (7, 8)).astype(float)
    function = {"max": np.max, "min": np.min, "mean": np.mean}[kind]
    for size, stride in ((2, 2), (3, 2), (2, 1), (4, 3)):
        made = pooling.pooled(image, kind, size, stride, padding)
        top, left = (convolution.before(n, size, stride, padding) for n in image.shape)
        for (i, j), value in np.ndenumerate(made):
            r, c = i * stride - top, j * stride - left
            window = image[max(0, r) : r + size, max(0, c) : c + size]
            assert value == pytest.approx(function(window), abs=1e-5)


def test_recurrent_neuron_by_hand() -> None:
    data = builtin_data("series", "wave")
    state = get_figure("recurrence").defaults | {"w": 0.7, "u": -0.5, "b": 0.2}
    h, last = recurrence.outputs(data.x.astype(float), state), 0.0
    for x, value in zip(data.x, h, strict=True):
        last = np.tanh(0.7 * x - 0.5 * last + 0.2)
        assert value == pytest.approx(last, abs=1e-5)
    made = get_figure("recurrence").draw({"w": 1.0, "u": 1.0, "b": 0.0, "activation": "linear", "step": 39})
    assert dict(made["facts"])["h at this step"] == f"{builtin_data('series', 'pulse').x.sum():.4f}"


@pytest.mark.parametrize("setting", lstm.SETTINGS)
def test_gates_by_the_formulas_are_those_of_the_layer(setting: str) -> None:
    weights = np.reshape(np.array(lstm.SETTINGS[setting][1], float), (3, 4))
    for source in ("pulse", "wave"):
        series = builtin_data("series", source).x.astype(float)
        assert np.allclose(lstm.gates(series, weights)["h"], lstm.layer_output(series, weights), atol=2e-5)


def test_searches_try_places_of_the_map_and_random_tries_differ() -> None:
    scores = np.arange(192.0).reshape(12, 16)
    for way in (knobs.one_at_a_time, knobs.at_random):
        for seed in range(20):
            tried = way(scores, 12, seed)
            assert len(tried) == 12
            assert all(0 <= i < 12 and 0 <= j < 16 for i, j in tried)
    tried = knobs.one_at_a_time(scores, 12, 0)
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in itertools.pairwise(tried[:4]))
    assert len(set(knobs.at_random(scores, 30, 1))) == 30
    landscape = knobs.landscape(builtin_data("classes", "iris"))
    assert landscape.shape == (12, 16)
    assert landscape.min() < 0.6 < np.log(3.0) < landscape.max()


def test_disagreement_is_none_among_equals_and_half_among_opposites() -> None:
    equal = np.full((5, 2, 2, 2), 0.5)
    assert np.allclose(boundaries.disagreement(equal), 0.0)
    opposite = np.stack([np.broadcast_to(each, (2, 2, 2)) for each in ([1.0, 0.0], [0.0, 1.0])])
    assert np.allclose(boundaries.disagreement(opposite), 0.5)
    assert np.allclose(boundaries.ahead(opposite, 0)[:, 0, 0], [1.0, -1.0])


def test_boundaries_learn_and_disagree_far_from_the_rows() -> None:
    data = builtin_data("classes", "exclusive_or")
    probabilities, right = boundaries.shares(data, 100, 6, 60, "tanh")
    assert probabilities.shape == (100, 36, 36, 2)
    assert np.allclose(probabilities.sum(axis=-1), 1.0, atol=1e-5)
    assert right.mean() > 0.95
    made = get_figure("boundaries").draw({"members": 100})
    assert len(marks(made["panels"][0], "segments")[0]["parts"]) == 100


def test_autoencoder_halves_make_the_whole_and_learn() -> None:
    data = builtin_data("images", "digit_images")
    x = data.x.reshape(len(data.x), -1)
    parameters, course = autoencoder.trained(data, 60, "relu")
    encode, decode = autoencoder.halves(data, 60, "relu")
    whole = autoencoder.network_of(64, "relu").predict(parameters, x)
    assert np.allclose(decode(encode(x)), whole, atol=1e-5)
    plain_error = np.mean((data.x - data.x.mean(axis=0)) ** 2)
    assert np.mean((whole - x) ** 2) < 0.6 * plain_error
    assert course[-1] == pytest.approx(np.mean((whole - x) ** 2), rel=0.05)


def test_evolution_learns_to_balance() -> None:
    fitness, best = evolution.learnt("cart-pole", 96, 0.5, 0)
    assert np.median(fitness[0]) < 100 < 450 < fitness[-1, 3]
    states = evolution.episode("cart-pole", best[-1], 0)
    assert len(states) == 501
    assert np.abs(states[:, 2]).max() < 0.21
    early = [len(evolution.episode("cart-pole", np.zeros(31), seed)) for seed in range(3)]
    assert max(early) < 200


def test_members_are_those_that_train_alone() -> None:
    data = builtin_data("curve", "sine")
    settings = [{"epochs": 20, "learning_rate": rate, "batch_size": 16} for rate in (0.01, 0.02)]
    network = Network.parse("1 4:tanh 1")
    seen: list[Any] = []
    both = train_population(data.x, data.y, settings, network=network)
    watched = train_population(data.x, data.y, settings, network=network, look=lambda _, p: seen.append(p))
    assert len(seen) == 21
    assert np.array_equal(both.loss, watched.loss)
    alone = network.fit(
        data.x, data.y, loss="mse", learning_rate=0.01, epochs=20, batch_size=16, seed=0, engine="native",
        weights=seen[0][0],
    )  # fmt: skip
    assert np.allclose(alone.history["loss"], both.loss[0], rtol=1e-5)


def test_plain_numbers_have_four_digits_and_no_nan() -> None:
    assert plain(np.array([0.0, 1.23456, -123456.0, np.nan, np.inf])) == [0.0, 1.235, -123500.0, None, None]
    assert plain(np.array([3, 4])) == [3, 4]
    assert plain(np.float64("nan")) is None
    assert plain(2.0) == 2.0


def test_digit_images_are_those_of_scikit_learn() -> None:
    sets = pytest.importorskip("sklearn.datasets")
    bunch = sets.load_digits()
    table, _, signals = BUILTIN["digit_images"].load()  # type: ignore[misc]
    assert np.array_equal(np.asarray(signals.values)[..., 0], bunch.images)
    assert signals.values.dtype == np.uint8
    assert table["digit"].to_list() == bunch.target.tolist()
