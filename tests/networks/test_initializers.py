from __future__ import annotations

import numpy as np
import pytest

from shoal.errors import SettingError
from shoal.networks import INITIALIZERS, get_initializer
from shoal.networks.initializers import ALIASES, fans
from shoal.streams import Stream

SHAPE = (60, 240)
RANDOM = [name for name in INITIALIZERS if name not in ("zeros", "ones", "identity", "orthogonal")]


@pytest.mark.slow
@pytest.mark.parametrize("name", RANDOM)
def test_distribution_equals_keras(name: str) -> None:
    import keras

    ours = INITIALIZERS[name](Stream(5), SHAPE)
    reference = keras.initializers.get(name)
    theirs = np.asarray(type(reference)(seed=3)(SHAPE))
    assert ours.dtype == np.float32
    assert ours.shape == SHAPE
    # 14,400 numbers: the mean and the spread are known to about 1 %, and quantiles to about 3 %.
    assert abs(ours.mean()) < 4 * theirs.std() / np.sqrt(theirs.size)
    assert ours.std() == pytest.approx(theirs.std(), rel=0.03)
    if "random_normal" not in name:  # its tails have no end
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)
    quantiles = [0.02, 0.1, 0.3, 0.7, 0.9, 0.98]
    np.testing.assert_allclose(np.quantile(ours, quantiles), np.quantile(theirs, quantiles), atol=0.05 * theirs.std())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zeros", "ones", "identity"])
def test_constants_equal_keras(name: str) -> None:
    import keras

    ours = INITIALIZERS[name](Stream(0), (3, 5))
    np.testing.assert_array_equal(ours, keras.initializers.get(name)((3, 5)))
    assert ours.dtype == np.float32


@pytest.mark.parametrize("shape", [(5, 9), (9, 5), (3, 3, 2, 4)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    q = INITIALIZERS["orthogonal"](Stream(1), shape).reshape(-1, shape[-1])
    product = q @ q.T if q.shape[0] < q.shape[1] else q.T @ q
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-6)


@pytest.mark.parametrize("shape", [(), (7,), (4, 8), (3, 5, 2), (3, 3, 2, 5)])
def test_fans_equal_keras(shape: tuple[int, ...]) -> None:
    from keras.src.initializers.random_initializers import compute_fans

    assert fans(shape) == compute_fans(shape)


def test_same_stream_same_numbers() -> None:
    first, again = (INITIALIZERS["glorot_uniform"](Stream(1, 2), (3, 4)) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != INITIALIZERS["glorot_uniform"](Stream(1, 3), (3, 4))).any()


def test_knows_keras_names() -> None:
    assert get_initializer("GlorotUniform") is INITIALIZERS["glorot_uniform"]
    for alias, name in ALIASES.items():
        assert get_initializer(alias) is INITIALIZERS[name]


def test_errors() -> None:
    with pytest.raises(SettingError, match=r"no initializer is called 'he_norml'\. Did you mean 'he_normal'\?"):
        get_initializer("he_norml")
    with pytest.raises(SettingError, match=r"orthogonal needs at least two axes, got shape \(3,\)"):
        INITIALIZERS["orthogonal"](Stream(0), (3,))
    with pytest.raises(SettingError, match=r"identity needs two axes, got shape \(3,\)"):
        INITIALIZERS["identity"](Stream(0), (3,))
