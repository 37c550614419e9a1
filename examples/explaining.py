"""
What an ensemble goes by
========================

Columns that say the same, an interaction, and the answer for one row taken apart.
"""

import numpy as np

import shoal

random = np.random.default_rng(1)
rows = 1500
energy, u = random.uniform(1.0, 10.0, rows), random.normal(size=rows)
colour, flag = random.choice(["red", "green", "blue"], rows), random.random(rows) < 0.4
shape = np.where(colour == "red", "round", np.where(colour == "green", "square", "long"))  # says the same as colour
temperature = 0.9 * energy + random.normal(0.0, 0.4, rows)  # nearly the energy
y = 3.0 * energy + 5.0 * (colour == "red") * u + 2.0 * flag + random.normal(size=rows)
table = {"E [GeV]": energy, "T [K]": temperature, "colour": colour, "shape": shape, "flag": flag, "u": u, "y [mm]": y}

run = shoal.fit(table, target="y [mm]", networks=32, seed=0)
found = shoal.explain(run, table, out="explanation")  # the data of the fit: its validation rows are taken
for group in found.importance.groups:
    importance = group.scores["rmse"]
    print(f"{' + '.join(group.columns)}: the RMSE rises by {importance.value:.2f} ± {importance.error:.2f}")
for pair in found.interactions.pairs[:4]:
    print(f"{' × '.join(pair.columns)}: H = {pair.h.value:.2f} ± {pair.h.error:.2f}")

(answer,) = shoal.explain(run, table, rows=0).attributions
print(f"row 1: {answer.answer:.1f} mm, against {answer.baseline:.1f} mm for {answer.background}")
for i in answer.order:
    print(f"  {answer.columns[i]} = {answer.values[i]}: {answer.parts[i]:+.2f} ± {answer.members[i]:.2f}")
print("Figures and all numbers are in the folder explanation")
