"""What a single network is: nothing is searched."""

from __future__ import annotations

from shoal.search.space import Fixed, Space


def single_space(epochs: int = 200, layers: str = "") -> Space:
    """Return the space of a single network: nothing varies, and it trains to its end.

    A user who asks for one network wants the network that was described, with nothing drawn at random beside it:
    no dropout, no smoothing, a constant learning rate, no early stopping.

    Example:
        >>> single_space().varies
        False
    """
    plain = {"hidden": (32,), "activation": "relu", "optimizer": "adam", "learning_rate": 0.001, "batch_size": 32}
    plain |= {"layers": layers} if layers else {}
    parts = {name: Fixed(value) for name, value in {**plain, "epochs": epochs, "patience": epochs}.items()}
    return Space(parts)  # type: ignore[arg-type]
