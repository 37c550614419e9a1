"""The devices of jax: each CPU core is one, and compiled programs are kept in the user's cache folder."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from pathlib import Path
from typing import Any

import jax

from shoal.errors import SettingError
from shoal.resources import available_cores

# jax warns of machine features when it reads its own cache; it is not the user's business
logging.getLogger("jax._src.compilation_cache").setLevel(logging.ERROR)


def use_every_core() -> None:
    """Make each CPU core one device and keep compiled programs in the user's cache folder.

    It must come before the first use of jax; later calls change nothing.
    """
    cache = os.environ.get("SHOAL_CACHE_DIR") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "shoal", "programs"
    )
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    cores = available_cores()
    os.environ.setdefault("NPROC", str(cores))  # XLA's own threads are no more than that
    with contextlib.suppress(RuntimeError):  # jax was in use before: its devices are as they are
        jax.config.update("jax_num_cpu_devices", cores)


def has_gpu() -> bool:
    """Return whether jax would train on something better than a CPU."""
    use_every_core()
    try:
        return jax.default_backend() != "cpu"
    except (RuntimeError, AssertionError):  # the platform that was asked for is not here
        return False


def find_devices() -> list[Any]:
    """Return the devices of the platform that jax chooses, or that `JAX_PLATFORMS` names.

    Raises:
        SettingError: that platform is not here.
    """
    use_every_core()
    try:
        return list(jax.devices())
    except (RuntimeError, AssertionError) as error:  # jax asserts that the plugin of a GPU is there
        asked = os.environ.get("JAX_PLATFORMS", "")
        raise SettingError(
            f"jax finds no device of JAX_PLATFORMS={asked!r}. Unset JAX_PLATFORMS to train on what "
            "there is, or install jax for that device."
        ) from error


def compiler_options(platform: str, layout: str) -> dict[str, Any]:
    """Return how a program is compiled: full vectors, and for `last` XLA's own loops.

    The library products that XLA calls for batches of matrices lose to plain loops when the members lie side by side.
    """
    if platform != "cpu":
        return {}
    options: dict[str, Any] = {"xla_cpu_prefer_vector_width": 512}
    if layout == "last":
        options["xla_cpu_experimental_ynn_fusion_type"] = ""
    return options


_misses = threading.local()


def _note(event: str, **_: Any) -> None:
    if event == "/jax/compilation_cache/cache_misses":
        _misses.count = getattr(_misses, "count", 0) + 1


jax.monitoring.register_event_listener(_note)


def compile_lowered(lowered: Any, options: dict[str, Any]) -> tuple[Any, bool]:
    """Return the compiled program and whether it was compiled now, not found in the cache.

    A jax that does not know an option compiles without them.
    """
    before = getattr(_misses, "count", 0)
    try:
        compiled = lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        if "option" not in str(error).lower():
            raise
        compiled = lowered.compile()
    return compiled, getattr(_misses, "count", 0) > before
