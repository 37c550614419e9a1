"""Whether two kernels trained the same, by the curves that `sanitized NAME` prints: `curves.py ONE OTHER`."""

import sys

import numpy as np

# 99 in 100 agree to rounding; a network that diverges overflows an epoch earlier or later
AGREEING, ALIKE, OVERFLOWN = 0.99, 1e-5, 0.005


def main(first: str, second: str) -> str | None:
    """Return what differs, None where nothing does."""
    one, other = np.loadtxt(first), np.loadtxt(second)
    if not len(one) or one.shape != other.shape:
        return f"{first} holds {one.shape} numbers, {second} {other.shape}"
    finite = np.isfinite(one) & np.isfinite(other)
    overflown = float(np.mean(np.isfinite(one) != np.isfinite(other)))
    a, b = one[finite], other[finite]
    apart = np.abs(a - b) / np.maximum(1e-3, np.maximum(np.abs(a), np.abs(b)))
    print(f"{finite.sum()} losses, {AGREEING:.0%} of them within {np.quantile(apart, AGREEING):.1e}")
    agree = finite.mean() > 0.4 and np.mean(apart < ALIKE) > AGREEING and overflown < OVERFLOWN
    return None if agree else f"within {ALIKE}: {np.mean(apart < ALIKE):.2%}; finite in one only: {overflown:.2%}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
