"""Learn a damped oscillation from points with error bars, and draw it beside the truth."""

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

run = shoal.fit(measured, target="y", y_err="sigma", networks=16, epochs=300, hidden=(32, 32), seed=0)
print(run.metrics["verdict"]["text"])

grid = np.linspace(0.0, 10.0, 200)
prediction = run.predict({"t": grid})
mean, low, high = (np.ravel(a) for a in (prediction.mean, prediction.low, prediction.high))
distance = np.sqrt(np.mean((mean - truth(grid)) ** 2))
print(f"distance from the truth: {distance:.3f} (errors of the points: 0.03 to 0.10)")

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.errorbar(t, measured["y"], sigma, fmt=".", color="0.7", zorder=0, label="measured")
axes.fill_between(grid, low, high, alpha=0.3, label="95 % for a new point")
axes.plot(grid, mean, label="ensemble")
axes.plot(grid, truth(grid), "k--", linewidth=1, label="truth")
axes.set(xlabel="t (s)", ylabel="y")
axes.legend(frameon=False)
figure.savefig("oscillation.png", dpi=150)
print("The figure is oscillation.png")
