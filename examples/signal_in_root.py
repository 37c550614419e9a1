"""
A signal in ROOT files
======================

From four-momenta and signed weights in a ROOT file to a significance with a systematic uncertainty, and a friend tree.
"""

import subprocess
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import uproot

import shoal
from shoal.report.systematics import shifts_rows

MUON_MASS = 0.1057  # GeV


def boosted(momenta: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return four-momenta (E, px, py, pz) seen from a frame that moves with -velocity."""
    gamma = 1.0 / np.sqrt(1.0 - (velocity**2).sum(axis=1))
    along = (momenta[:, 1:] * velocity).sum(axis=1)
    factor = gamma**2 / (1.0 + gamma) * along + gamma * momenta[:, 0]
    return np.column_stack([gamma * (momenta[:, 0] + along), momenta[:, 1:] + factor[:, None] * velocity])


def simulate(random: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """Return events with two muons: a resonance of 125 GeV, or a falling background.

    One background event in eight counts negatively, as generators beyond leading order have it.
    """
    signal = np.arange(count) % 3 == 0
    mass = np.where(signal, random.normal(125.0, 1.5, count), 95.0 + random.exponential(40.0, count))
    cosine = np.where(signal, random.uniform(-1.0, 1.0, count), 2.0 * random.beta(0.7, 0.7, count) - 1.0)
    sine, phi, half = np.sqrt(1.0 - cosine**2), random.uniform(0.0, 2.0 * np.pi, count), mass / 2.0
    momentum = np.sqrt(half**2 - MUON_MASS**2)
    flight = momentum[:, None] * np.column_stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    pt = np.where(signal, random.gamma(2.5, 18.0, count), random.gamma(1.6, 14.0, count))
    angle, rapidity = random.uniform(0.0, 2.0 * np.pi, count), random.normal(0.0, 1.0, count)
    transverse = np.sqrt(mass**2 + pt**2)
    pair = np.column_stack([pt * np.cos(angle), pt * np.sin(angle), transverse * np.sinh(rapidity)])
    velocity = pair / (transverse * np.cosh(rapidity))[:, None]
    events = {"event": np.arange(count)}
    for number, sign in ((1, 1.0), (2, -1.0)):
        muon = boosted(np.column_stack([half, sign * flight]), velocity)
        muon *= random.normal(1.0, 0.015, count)[:, None]  # resolution
        events |= {f"{name}{number}": muon[:, i] for i, name in enumerate(("E", "px", "py", "pz"))}
    weight = np.where(~signal & (random.random(count) < 1 / 8), -1.0, 1.0)
    return events | {"weight": weight, "process": np.where(signal, "signal", "background")}


def write(path: str, events: dict[str, np.ndarray]) -> None:
    """Write events as the tree Events."""
    with uproot.recreate(path) as file:
        kinds = {name: str if values.dtype.kind == "U" else values.dtype for name, values in events.items()}
        file.mktree("Events", kinds)
        file["Events"].extend({name: v.tolist() if v.dtype.kind == "U" else v for name, v in events.items()})


random = np.random.default_rng(8)
write("events.root", simulate(random, 12_000))
write("new.root", simulate(random, 9_000))

# %%
# The fit reads the tree, computes columns, makes the cuts and keeps both with the model. The momenta themselves
# are left out of the features: the networks see what was derived from them.
momenta = [f"{name}{number}" for number in (1, 2) for name in ("E", "px", "py", "pz")]
run = shoal.fit(
    "events.root",
    table="Events",
    target="process",
    weight="weight",
    derive={
        "pt1": "hypot(px1, py1)",
        "pt2": "hypot(px2, py2)",
        "pt": "hypot(px1 + px2, py1 + py2)",
        "eta_difference": "arcsinh(pz1 / pt1) - arcsinh(pz2 / pt2)",
        "m": "sqrt(max((E1 + E2)**2 - (px1 + px2)**2 - (py1 + py2)**2 - (pz1 + pz2)**2, 0))",
    },
    where=["min(pt1, pt2) > 20", "105 < m < 160"],
    ignore=[*momenta, "event"],
    signal_yield=60.0,
    background_yield=1_500.0,
    background_uncertainty=0.05,
    networks=8,
    epochs=40,
    seed=0,
    out="runs/signal_in_root",
    force=True,
)
for cut in run.metrics["data"]["cuts"]:
    print(f"{cut['condition']}: {cut['passed']:,} of {cut['rows']:,} events pass")
found = run.metrics["selection"]
quoted = found["significance"]["asimov"]
print(f"score of {found['cut']:.3f} or more, chosen on validation events; on test events")
print(
    f"{found['signal_events']:.1f} signal events on {found['background_events']:.1f} of background, Asimov significance"
)
print(f"{quoted['value']:.2f}, 95 % interval {quoted['low']:.2f} to {quoted['high']:.2f}")

# %%
# How far does an uncertain muon energy scale move that? The momenta of new events are shifted, then masses are computed
# and cuts are judged by them as in the fit. `shoal systematics` takes the same from a file.
variations = {"muon_scale": {"columns": momenta, "scale": 0.01}}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", shoal.ShoalWarning)  # that the cuts leave events out
    moved = shoal.systematics(run, variations, "new.root")
for quantity in ("signal_events", "background_events", "significance"):
    [(name, _, *shifts)] = shifts_rows(moved, quantity)
    print(f"{name}: {quantity} {moved.nominal[moved.at(quantity)]:.2f}, up and down", ", ".join(shifts))

# %%
# `shoal predict` writes the tree `shoal`, entry by entry a friend of the tree that it read: `AddFriend` of ROOT takes
# it, and uproot reads both. Events that fail the cuts keep their place, with `passed` false.
command = ["predict", str(run.path), "new.root", "-o", "friend.root", "--force", "--quiet"]
subprocess.run([sys.executable, "-m", "shoal", *command], check=True)
with uproot.open("new.root") as original, uproot.open("friend.root") as friend:
    events = original["Events"].arrays(library="np")
    answers = friend["shoal"].arrays(library="np")
print(", ".join(answers))

# %%
# New events, scaled to the expected numbers, before and after the cut. Negative weights count with their signs.
energy, *momentum = (events[f"{name}1"] + events[f"{name}2"] for name in ("E", "px", "py", "pz"))
mass = np.sqrt(energy**2 - sum(p**2 for p in momentum))
passed, signal = answers["passed"], events["process"] == "signal"
weight = events["weight"].astype(float)
for chosen, expected in ((signal, 60.0), (~signal, 1_500.0)):
    weight[chosen] *= expected / weight[chosen & passed].sum()
score = answers["probability_signal"]  # NaN where an event did not pass
figure, axes = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained", sharex=True)
for axis, kept, title in zip(axes, (passed, score >= found["cut"]), ("all", "after the cut"), strict=True):
    parts = [kept & ~signal, kept & signal]
    print(f"{title}: {weight[parts[1]].sum():.1f} signal, {weight[parts[0]].sum():.1f} background")
    axis.hist(
        [mass[part] for part in parts],
        bins=np.linspace(105.0, 160.0, 23),
        weights=[weight[part] for part in parts],
        stacked=True,
        label=("background", "signal"),
    )
    axis.set(xlabel="m (GeV)", ylabel="events / 2.5 GeV", title=title)
axes[0].legend(frameon=False)
figure.savefig("signal_in_root.png", dpi=150)
print(f"The page is {run.report()}, the figure signal_in_root.png")
