"""How far training is, in words."""

from __future__ import annotations


def training_line(
    trained: int, total: int, epoch: int, best: float | None, metric: str, seconds_left: float | None
) -> str:
    """Return how far training is, in a line.

    >>> training_line(24, 64, 120, 0.9583, "accuracy", 75.0)
    '24/64 networks · epoch 120 · best accuracy 0.958 · 1 min 15 s left'
    """
    parts = [f"{trained}/{total} networks", f"epoch {epoch}"]
    if best is not None and best == best:
        parts.append(f"best {metric.replace('_', ' ')} {best:.3g}")
    if trained < total and seconds_left is not None and 0 <= seconds_left < float("inf"):
        parts.append(f"{duration(seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Return whole seconds as people say them.

    >>> duration(7.2), duration(75), duration(7260)
    ('7 s', '1 min 15 s', '2 h 1 min')
    """
    rounded = round(seconds)
    if rounded < 60:
        return f"{rounded} s"
    minutes, rest = divmod(rounded, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
