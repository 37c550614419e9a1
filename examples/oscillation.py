"""
A damped oscillation
====================

Learned from points with errors: the fit, the error that the data leave on it, and the pulls.
"""

import matplotlib.pyplot as plt
import numpy as np

import shoal


def truth(t: np.ndarray) -> np.ndarray:
    """Return the noiseless oscillation at times t in seconds."""
    return np.exp(-t / 4.0) * np.cos(2.0 * t)


random = np.random.default_rng(1)
t = np.sort(random.uniform(0.0, 10.0, 300))
sigma = random.uniform(0.03, 0.10, t.size)
measured = {"t": t, "y": truth(t) + sigma * random.normal(size=t.size), "sigma": sigma}

network = {"hidden": (32, 32), "activation": "tanh", "learning_rate": 0.01, "epochs": 400}
run = shoal.fit(measured, target="y", y_err="sigma", networks=16, keep=4, replicas=40, seed=0, **network)
print(run.metrics["measured_errors"]["text"])

grid = np.linspace(0.0, 10.0, 200)
prediction = run.predict({"t": grid})
mean, error = prediction.mean[:, 0], np.hypot(prediction.spread, prediction.data_spread)[:, 0]
print(f"distance from the truth: {np.sqrt(np.mean((mean - truth(grid)) ** 2)):.3f}")
print(f"error of the fit by members and replicas: {np.sqrt(np.mean(error**2)):.3f}")
pulls = (measured["y"] - run.predict({"t": t}).mean[:, 0]) / sigma

figure, (above, below) = plt.subplots(
    2, 1, figsize=(6, 4.6), layout="constrained", sharex=True, gridspec_kw={"height_ratios": [3, 1]}
)
above.errorbar(t, measured["y"], sigma, fmt=".", color="0.7", ms=3, elinewidth=0.7, zorder=0, label="measured")
above.fill_between(grid, mean - 2 * error, mean + 2 * error, alpha=0.35, lw=0, label="ensemble ± 2 errors of the fit")
above.plot(grid, mean, lw=1.5)
above.plot(grid, truth(grid), "k--", lw=1, label="truth")
above.set(ylabel="y")
above.legend(frameon=False)
below.plot(t, pulls, ".", color="0.4", ms=3)
below.axhspan(-1.0, 1.0, alpha=0.15, lw=0)
below.set(xlabel="t (s)", ylabel="pull", ylim=(-4.0, 4.0))
figure.savefig("oscillation.png", dpi=150)
print("The figure is oscillation.png")
