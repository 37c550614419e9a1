from __future__ import annotations

import copy
import math
import pickle
import subprocess
import sys

import numpy as np
import pytest

from shoal.networks import numpy_namespace as xp


def test_delegates_to_numpy() -> None:
    assert xp.maximum is np.maximum
    assert xp.float32 is np.float32
    assert repr(xp) == "Namespace(numpy)"


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no_such_function"):
        _ = xp.no_such_function


def test_survives_copying() -> None:
    assert copy.copy(xp).maximum is np.maximum


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_erf_keeps_the_number_type(dtype: type) -> None:
    z = np.array([-3.0, -0.5, 0.0, 2.0], dtype)
    assert xp.erf(z).dtype == dtype
    np.testing.assert_allclose(xp.erf(z), [math.erf(v) for v in z], rtol=1e-6)


def test_scan_agrees_with_jax(jax_namespace) -> None:
    def step(carry, x):
        carry = carry * 0.5 + x["a"]
        return carry, (carry, carry * x["b"])

    xs = {"a": np.arange(6, dtype=np.float32).reshape(3, 2), "b": np.ones((3, 2), np.float32) * 2}
    carry, (first, second) = xp.scan(step, np.zeros(2, np.float32), xs)
    expected_carry, (expected_first, expected_second) = jax_namespace.scan(step, np.zeros(2, np.float32), xs)
    np.testing.assert_allclose(carry, expected_carry)
    np.testing.assert_allclose(first, expected_first)
    np.testing.assert_allclose(second, expected_second)
    assert first.shape == (3, 2)


def test_scan_without_outputs() -> None:
    carry, ys = xp.scan(lambda c, x: (c + x, None), 0, np.array([1, 2, 3]))
    assert (carry, ys) == (6, None)


def test_the_room_imports_neither_jax_nor_heavy_libraries() -> None:
    code = (
        "import sys, numpy as np; from shoal.networks import Network; from shoal.streams import Stream;"
        "n = Network.parse('4 8:relu dropout:0.1 3:softmax');"
        "n.predict(n.initialize(Stream(0)), np.ones((2, 4)));"
        "print([m for m in ('jax', 'matplotlib', 'scipy', 'sklearn', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_network_travels_between_processes() -> None:
    from shoal.networks import Network

    network = Network.parse("4 8:relu 3:softmax")
    assert pickle.loads(pickle.dumps(network)) == network
