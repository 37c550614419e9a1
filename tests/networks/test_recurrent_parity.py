"""Recurrent layers, wrappers, masks and normalisation equal Keras': values, gradients and moving averages.

A case is a layer here and there, an input shape, whether steps are masked, and whether it trains. All cases of a kind
run in one compiled program: here a block of members, there one of them alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest

from shoal.networks import LAYERS, Context, Layer
from shoal.streams import Stream

ROWS, MEMBERS = 3, 3
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """One layer with the function that makes Keras' like, and how both are called."""

    layer: Layer
    make: Callable[[], Any]
    shape: Shape
    masked: bool = False
    training: bool = False
    whole: int = 0  # inputs are whole numbers below this


def pick(rng: np.random.Generator, *choices: Any) -> Any:
    return choices[rng.integers(len(choices))]


def yes(rng: np.random.Generator) -> bool:
    return bool(rng.random() < 0.5)


def both(kind: str, settings: dict[str, Any], shape: Shape, **options: Any) -> Case:
    def make() -> Any:
        import keras

        return getattr(keras.layers, kind)(**settings)

    return Case(LAYERS[kind](**settings), make, shape, **options)


def cell(kind: str, rng: np.random.Generator, backwards: float = 0.3) -> Case:
    settings = {
        "units": int(rng.integers(1, 4)),
        "activation": pick(rng, "tanh", "softsign", "relu", None),
        "use_bias": bool(rng.random() < 0.7),
        "return_sequences": yes(rng),
        "go_backwards": bool(rng.random() < backwards),
    }
    if kind != "SimpleRNN":
        settings["recurrent_activation"] = pick(rng, "sigmoid", "sigmoid", "hard_sigmoid")
    if kind == "GRU":
        settings["reset_after"] = bool(rng.random() < 0.7)
    return both(kind, settings, (int(rng.integers(1, 5)), int(rng.integers(1, 4))), masked=yes(rng))


def bidirectional(rng: np.random.Generator) -> Case:
    inner = cell(pick(rng, "SimpleRNN", "LSTM", "GRU"), rng, backwards=0.0)  # Keras refuses one that goes backwards
    mode = pick(rng, "concat", "sum", "mul", "ave")

    def make() -> Any:
        import keras

        return keras.layers.Bidirectional(inner.make(), merge_mode=mode)

    return replace(inner, layer=LAYERS["Bidirectional"](inner.layer, mode), make=make)


def time_distributed(rng: np.random.Generator) -> Case:
    units, activation, shape = int(rng.integers(2, 5)), pick(rng, "tanh", "softmax"), (int(rng.integers(1, 4)), 2)

    def make() -> Any:
        import keras

        return keras.layers.TimeDistributed(keras.layers.Dense(units, activation=activation))

    inner = LAYERS["Dense"](units, activation=activation)
    return Case(LAYERS["TimeDistributed"](inner), make, shape, masked=yes(rng))


def axes(rng: np.random.Generator, channels: tuple[int, ...] = (1, 2, 3)) -> Shape:
    return (*(int(n) for n in rng.integers(1, 4, rng.integers(0, 3))), int(pick(rng, *channels)))


def scaling(rng: np.random.Generator) -> dict[str, Any]:
    return {"epsilon": pick(rng, 1e-3, 1e-2), "center": yes(rng), "scale": yes(rng)}


def batch_normalization(rng: np.random.Generator) -> Case:
    shape = axes(rng)
    settings = {**scaling(rng), "momentum": pick(rng, 0.99, 0.7)}
    masked = len(shape) == 2 and yes(rng)
    return both("BatchNormalization", settings, shape, training=bool(rng.random() < 0.7), masked=masked)


def group_normalization(rng: np.random.Generator) -> Case:
    groups = pick(rng, 1, 2, -1)
    return both("GroupNormalization", {**scaling(rng), "groups": groups}, axes(rng, (2, 4)))


def normalization(rng: np.random.Generator) -> Case:
    shape = axes(rng)
    mean, variance = rng.normal(size=shape[-1]).tolist(), rng.random(shape[-1]).tolist()

    def make() -> Any:
        import keras

        return keras.layers.Normalization(mean=mean, variance=variance)

    return Case(LAYERS["Normalization"](tuple(mean), tuple(variance)), make, shape)


def embedding(rng: np.random.Generator) -> Case:
    many = int(rng.integers(1, 6))
    return both("Embedding", {"input_dim": many, "output_dim": int(rng.integers(1, 4))}, (3,), whole=many)


KINDS: dict[str, tuple[int, Callable[[np.random.Generator], Case]]] = {
    "SimpleRNN": (8, partial(cell, "SimpleRNN")),
    "LSTM": (10, partial(cell, "LSTM")),
    "GRU": (12, partial(cell, "GRU")),
    "Bidirectional": (10, bidirectional),
    "TimeDistributed": (8, time_distributed),
    "BatchNormalization": (20, batch_normalization),
    "LayerNormalization": (12, lambda rng: both("LayerNormalization", scaling(rng), axes(rng))),
    "GroupNormalization": (12, group_normalization),
    "Normalization": (10, normalization),
    "Rescaling": (6, lambda rng: both("Rescaling", {"scale": rng.random(), "offset": rng.random()}, axes(rng))),
    "Embedding": (8, embedding),
    "Masking": (4, lambda rng: both("Masking", {"mask_value": pick(rng, 0.0, 1.0)}, (4, 2), whole=2)),
}
CASES = [(kind, number) for kind, (count, _) in KINDS.items() for number in range(count)]


def drawn(kind: str, number: int) -> Case:
    return KINDS[kind][1](np.random.default_rng([zlib.crc32(kind.encode()), number]))


def keras_function(case: Case) -> Callable[..., Any]:
    """Return Keras' layer as a function of parameters, rows and mask; it returns outputs and moving parameters."""
    there = case.make()
    there.build((None, *case.shape))
    names = dict(zip((id(v) for v in there.weights), case.layer.parameter_shapes(case.shape), strict=False))

    def function(p: Any, x: Any, mask: Any) -> Any:
        trained = [p[names[id(v)]] for v in there.trainable_variables]
        fixed = [p[names[id(v)]] if id(v) in names else v.value for v in there.non_trainable_variables]
        options = {"mask": mask} if case.masked else {}
        if case.training:
            options["training"] = True
        y, after = there.stateless_call(trained, fixed, x, **options)
        after = {names[id(v)]: a for v, a in zip(there.non_trainable_variables, after, strict=True) if id(v) in names}
        return y, {name: after[name] for name in case.layer.moving} if case.training else {}

    return function


def here_function(case: Case, namespace: Any) -> Callable[..., Any]:
    def function(p: Any, x: Any, mask: Any) -> Any:
        recorded: dict[str, Any] = {}
        context = Context(training=case.training, mask=mask if case.masked else None, record=recorded.__setitem__)
        return case.layer.apply(namespace, p, x, context), recorded

    return function


def block(case: Case, seed: int) -> Any:
    """Return parameters, rows and masks of members; variances are positive."""
    shapes = case.layer.parameter_shapes(case.shape)
    p = {n: Stream(seed, i).normal((MEMBERS, *s)) for i, (n, s) in enumerate(shapes.items())}
    p = {name: np.abs(value) + 0.1 if "variance" in name else value for name, value in p.items()}
    x = Stream(seed, 99).normal((MEMBERS, ROWS, *case.shape))
    if case.whole:
        x = np.floor(Stream(seed, 99).uniform(x.shape) * case.whole)
    return p, x, Stream(seed, 98).uniform((MEMBERS, ROWS, *case.shape[:1])) < 0.6


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    import jax

    quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return jax.jit(function, compiler_options=quickly)


@cache
def results(kind: str, namespace: Any) -> dict[int, Any]:
    """Value and gradients of all cases of a kind, from one compiled program: a block here, one alone in Keras."""
    import jax

    cases = {number: drawn(kind, number) for k, number in CASES if k == kind}
    theirs = {number: keras_function(case) for number, case in cases.items()}

    def gradients(function: Callable[..., Any], p: Any, x: Any, mask: Any) -> Any:
        def loss(p: Any, x: Any) -> Any:
            out, moving = function(p, x, mask)
            return (out * namespace.cos(out)).sum(), (out, moving)

        (_, found), of_both = jax.value_and_grad(loss, argnums=(0, 1), has_aux=True)(p, x)
        return found, of_both

    def everything(blocks: Any) -> Any:
        found = {}
        for number, case in cases.items():
            here = partial(gradients, here_function(case, namespace))
            first = jax.tree.map(lambda a: a[1], blocks[number])
            found[number] = jax.vmap(here)(*blocks[number]), gradients(theirs[number], *first)
        return found

    return compiled(everything)({n: block(case, n) for n, case in cases.items()})


def without_moving(case: Case, found: Any) -> Any:
    """Leave out the gradients of parameters that no gradient moves."""
    first, (of_parameters, of_x) = found
    return first, ({n: g for n, g in of_parameters.items() if n not in case.layer.moving}, of_x)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "number"), CASES)
def test_values_and_gradients_equal_keras(kind: str, number: int, jax_namespace) -> None:
    import jax

    case = drawn(kind, number)
    of_block, keras = (without_moving(case, found) for found in results(kind, jax_namespace)[number])
    assert of_block[0][0].shape == (MEMBERS, ROWS, *case.layer.output_shape(case.shape))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[1], b, rtol=5e-5, atol=2e-5), of_block, keras)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_member_alone_equals_itself_in_a_block(kind: str, jax_namespace) -> None:
    import jax

    case = drawn(kind, 0)
    here, members = here_function(case, jax_namespace), block(case, 0)
    together, alone = compiled(jax.vmap(here))(*members), compiled(here)(*jax.tree.map(lambda a: a[2], members))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a[2], b, rtol=2e-5, atol=2e-6), together, alone)


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 120
    chosen = [drawn(kind, number) for kind, number in CASES]
    assert sum(case.masked for case in chosen) >= 25
    assert {case.training for case in chosen if type(case.layer).__name__ == "BatchNormalization"} == {True, False}
    assert {getattr(case.layer, "merge_mode", None) for case in chosen} == {None, "concat", "sum", "mul", "ave"}
    assert {getattr(case.layer, "reset_after", None) for case in chosen} == {None, True, False}
