"""Tell signal from background in simulated events with weights, look at overtraining, and choose a cut."""

import json
import tempfile
from pathlib import Path

import numpy as np

import shoal

SIGNAL_YIELD, BACKGROUND_YIELD = 100.0, 2000.0

# A resonance on a falling background; one background event in ten counts negatively, as beyond leading order.
random = np.random.default_rng(4)
signal = np.arange(4000) % 2 == 0
count = signal.size
mass = np.where(signal, random.normal(125.0, 8.0, count), 80.0 + random.exponential(45.0, count))
momentum = np.where(signal, random.gamma(4.0, 18.0, count), random.gamma(2.0, 22.0, count))
angle = np.where(signal, random.beta(2.0, 2.0, count), random.uniform(0.0, 1.0, count))
weights = np.where(~signal & (random.random(count) < 0.1), -1.0, 1.0)
weights[signal] *= SIGNAL_YIELD / weights[signal].sum()
weights[~signal] *= BACKGROUND_YIELD / weights[~signal].sum()
events = {
    "mass [GeV]": mass,
    "pT [GeV]": momentum,
    "cos theta": angle,
    "weight": weights,
    "process": np.where(signal, "signal", "background"),
}

with tempfile.TemporaryDirectory() as folder:
    run = shoal.fit(events, target="process", weight="weight", networks=16, epochs=60, seed=0, out=folder + "/events")
    print(run.metrics["verdict"]["text"])
    print(json.dumps(run.metrics["weights"]))
    print(run.metrics["overtraining"]["conclusion"])

    # The cut is chosen on the validation rows and quoted on the test rows.
    yields = {"signal_yield": SIGNAL_YIELD, "background_yield": BACKGROUND_YIELD}
    found = shoal.select(run, background_uncertainty=0.1, **yields)
    quoted = found.quoted["asimov"]
    print(f"score above {found.cut:.3f}: {found.signal_events:.0f} signal, {found.background_events:.0f} background")
    print(f"significance {quoted.value:.2f}, 95 % interval {quoted.low:.2f} to {quoted.high:.2f}")

    from shoal.report.selection import write_selection

    write_selection(found, Path("selection"))
    print("The figures and their numbers are in selection/")
