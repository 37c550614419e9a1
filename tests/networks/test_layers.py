"""What every registered layer keeps to; a new layer is tried as soon as it is in `LAYERS`."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from functools import partial
from typing import Any

import numpy as np
import pytest
from layer_examples import EXAMPLES

from shoal.errors import NetworkError
from shoal.networks import LAYERS, Context, Layer, numpy_namespace
from shoal.streams import Stream

CASES = [
    pytest.param(layer, shape, id=f"{kind}-{i}")
    for kind, examples in EXAMPLES.items()
    for i, (layer, shape) in enumerate(examples)
]
BATCH = 5


def test_every_layer_has_examples() -> None:
    assert EXAMPLES.keys() == LAYERS.keys()
    assert all(EXAMPLES.values())


def rows(shape: tuple[int, ...], dtype: type = np.float32) -> np.ndarray:
    return Stream(7).normal((BATCH, *shape)).astype(dtype)


def contexts() -> list[Context]:
    return [Context(), Context(training=True, random=lambda shape, part=0: Stream(8, part).uniform(shape))]


def outputs_of(layer: Layer, namespace: Any, parameters: Any, x: Any) -> list[Any]:
    return [layer.apply(namespace, parameters, x, context) for context in contexts()]


def compiled(function: Any) -> Any:
    """Compile as a whole, and fast: operation by operation takes twice as long."""
    import jax

    quickly = {"xla_backend_optimization_level": 0, "xla_llvm_disable_expensive_passes": True}
    return jax.jit(function, compiler_options=quickly)


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_output_has_the_promised_shape(layer: Layer, shape: tuple[int, ...]) -> None:
    x, parameters = rows(shape), layer.initialize(shape, Stream(0))
    for context in contexts():
        out = layer.apply(numpy_namespace, parameters, x, context)
        assert out.shape == (BATCH, *layer.output_shape(shape))
        assert layer.apply(numpy_namespace, parameters, x[:0], Context()).shape == (0, *out.shape[1:])


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_parameters_have_the_promised_shapes(layer: Layer, shape: tuple[int, ...]) -> None:
    parameters = layer.initialize(shape, Stream(0))
    assert {name: p.shape for name, p in parameters.items()} == layer.parameter_shapes(shape)
    assert list(parameters) == list(layer.parameter_shapes(shape))
    assert all(p.dtype == np.float32 for p in parameters.values())
    assert set(layer.regularised) <= set(parameters)
    for name, p in layer.initialize(shape, Stream(0)).items():
        np.testing.assert_array_equal(p, parameters[name])


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_numpy_and_jax_agree(layer: Layer, shape: tuple[int, ...], jax_namespace) -> None:
    x, parameters = rows(shape), layer.initialize(shape, Stream(0))
    outputs = compiled(partial(outputs_of, layer, jax_namespace))(parameters, x)
    for context, out in zip(contexts(), outputs, strict=True):
        expected = layer.apply(numpy_namespace, parameters, x, context)
        assert out.dtype == expected.dtype == np.float32
        np.testing.assert_allclose(out, expected, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_float64_is_float32_made_precise(layer: Layer, shape: tuple[int, ...]) -> None:
    x, parameters = rows(shape), layer.initialize(shape, Stream(0))
    precise = {name: p.astype(np.float64) for name, p in parameters.items()}
    for context in contexts():
        out = layer.apply(numpy_namespace, precise, x.astype(np.float64), context)
        assert out.dtype == np.float64
        np.testing.assert_allclose(out, layer.apply(numpy_namespace, parameters, x, context), rtol=2e-5, atol=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_member_in_a_block_equals_the_member_alone(layer: Layer, shape: tuple[int, ...], jax_namespace) -> None:
    import jax

    members = [layer.initialize(shape, Stream(0, m)) for m in range(3)]
    block = {name: np.stack([m[name] for m in members]) for name in members[0]}
    x = np.stack([rows(shape) + m for m in range(3)])
    apply = partial(outputs_of, layer, jax_namespace)
    together, alone = compiled(jax.vmap(apply))(block, x), compiled(apply)
    for m, member in enumerate(members):
        for of_block, of_member in zip(together, alone(member, x[m]), strict=True):
            np.testing.assert_allclose(of_block[m], of_member, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_round_trip_through_json(layer: Layer, shape: tuple[int, ...]) -> None:
    data = json.loads(json.dumps(layer.to_dict()))
    again = LAYERS[data["class"]].from_dict(data)
    assert again == layer
    assert hash(again) == hash(layer)
    assert again.output_shape(shape) == layer.output_shape(shape)


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_layers_cannot_be_changed(layer: Layer, shape: tuple[int, ...]) -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'name'"):
        layer.name = "other"  # type: ignore[misc]
    x = rows(shape)
    before = x.copy()
    layer.apply(numpy_namespace, layer.initialize(shape, Stream(0)), x, contexts()[1])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("kind", LAYERS)
def test_unknown_settings_are_named(kind: str) -> None:
    with pytest.raises(NetworkError, match=rf"{kind} has no setting 'nmae'\. Did you mean 'name'\?"):
        LAYERS[kind].from_dict({"class": kind, "nmae": "a"})


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_logits_leave_out_just_the_final_activation(layer: Layer, shape: tuple[int, ...]) -> None:
    from shoal.networks.activations import apply_activation

    x, parameters = rows(shape), layer.initialize(shape, Stream(0))
    logits = layer.apply(numpy_namespace, parameters, x, Context(logits=True))
    np.testing.assert_allclose(
        apply_activation(numpy_namespace, layer.final_activation, logits),
        layer.apply(numpy_namespace, parameters, x, Context()),
    )


@pytest.mark.parametrize(("layer", "shape"), CASES)
def test_a_layer_shows_what_was_given_and_can_be_typed_again(layer: Layer, shape: tuple[int, ...]) -> None:
    from shoal import networks

    assert "name=None" not in repr(layer)
    assert eval(repr(layer), vars(networks)) == layer
