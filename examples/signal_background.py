"""
Signal and background
=====================

Weighted simulated events: overtraining, a cut for expected yields, systematics.
"""

import json
from pathlib import Path

import numpy as np

import shoal
from shoal.report.systematics import shifts_rows, totals_rows, write_systematics

SIGNAL_YIELD, BACKGROUND_YIELD = 100.0, 2000.0


def simulate(random: np.random.Generator, count: int, spin: float = 2.0) -> dict[str, np.ndarray]:
    """Return a resonance on a falling background; one background event in ten counts negatively, beyond leading order.

    The signal's cos theta is beta distributed with both parameters `spin`, which generators do not agree on.
    """
    signal = np.arange(count) % 2 == 0
    vertices = random.poisson(30, count)
    weights = np.where(~signal & (random.random(count) < 0.1), -1.0, 1.0)
    for own, expected in ((signal, SIGNAL_YIELD), (~signal, BACKGROUND_YIELD)):
        weights[own] *= expected / weights[own].sum()
    return {
        "mass [GeV]": np.where(signal, random.normal(125.0, 8.0, count), 80.0 + random.exponential(45.0, count)),
        "pT [GeV]": np.where(signal, random.gamma(4.0, 18.0, count), random.gamma(2.0, 22.0, count)),
        "missing ET [GeV]": np.where(signal, random.gamma(3.0, 15.0, count), random.gamma(2.0, 15.0, count))
        + 0.3 * vertices,
        "cos theta": np.where(signal, random.beta(spin, spin, count), random.uniform(0.0, 1.0, count)),
        "weight": weights,
        # what turns a mean of 30 vertices into 33 and 27
        "pile-up up": np.exp(-3.0) * (33 / 30) ** vertices,
        "pile-up down": np.exp(3.0) * (27 / 30) ** vertices,
        "process": np.where(signal, "signal", "background"),
    }


events = simulate(np.random.default_rng(4), 8_000)
roles = {"target": "process", "weight": "weight", "ignore": ("pile-up up", "pile-up down")}
yields = {"signal_yield": SIGNAL_YIELD, "background_yield": BACKGROUND_YIELD, "background_uncertainty": 0.1}
out = Path("runs/signal_background")

# The page shows training and test scores beside each other; the cut is chosen on validation rows, quoted on test rows.
run = shoal.fit(events, networks=8, epochs=50, seed=0, out=str(out), force=True, **roles, **yields)
print(run.metrics["verdict"]["text"])
print(json.dumps(run.metrics["weights"]))
print(run.metrics["overtraining"]["conclusion"])
found = run.metrics["selection"]
quoted = found["significance"]["asimov"]
print(
    f"score above {found['cut']:.3f}: {found['signal_events']:.0f} signal, {found['background_events']:.0f} background"
)
print(f"significance {quoted['value']:.2f}, 95 % interval {quoted['low']:.2f} to {quoted['high']:.2f}")

# The same may stand in a file variations.toml, for `shoal systematics RUN variations.toml`.
variations = {
    "energy_scale": {"columns": ["mass [GeV]", "pT [GeV]", "missing ET [GeV]"], "scale": 0.02},
    "missing_ET_resolution": {"columns": "missing ET [GeV]", "smear": 5.0},
    "pile_up": {"factor_up": "pile-up up", "factor_down": "pile-up down"},
    "background_rate": {"class": "background", "rate": 0.05},
    "generator": {"file_up": simulate(np.random.default_rng(6), 20_000, spin=3.0)},
}
# More events than the test rows are simulated for it; left out, the test rows would be varied, at one more use of them.
moved = shoal.systematics(run, variations, simulate(np.random.default_rng(5), 20_000))
for row in (*totals_rows(moved), *shifts_rows(moved)):
    print("  ".join(row))
write_systematics(moved, out / "systematics")
print(f"The page is {run.report()}, the figures of the variations are in {out / 'systematics'}")
