r"""
Iris from file to test
======================

Fisher's irises: 150 flowers of three species, of each the length and width of sepals and petals. Which species is a
flower? This page goes the whole way once by hand, with one network, and then lets shoal go it with many.
"""

# %%
# Load and look
# -------------
#
# The ending of a file tells how it is read: `.csv` is text with a row on each line, `.npy` and `.npz` hold arrays,
# `.xlsx` sheets. Look at what you have before you do anything with it: print some of it, its types and its shape.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import polars as pl

import shoal

iris = shoal.load_dataset("iris").table
iris.write_csv("iris.csv")

print("\n".join(Path("iris.csv").read_text().splitlines()[:3]))
table = pl.read_csv("iris.csv")
print(table.shape)
print(table.schema)

# %%

features = table.columns[:4]
species = table["species"].to_numpy()
figure, ax = plt.subplots(figsize=(5, 3.4), layout="constrained")
for name in np.unique(species):
    of_species = table.filter(pl.col("species") == name)
    ax.plot(of_species[features[2]], of_species[features[3]], "o", ms=4, alpha=0.6, label=name)
ax.set(xlabel=features[2], ylabel=features[3])
ax.legend(frameon=False)
plt.show()

# %%
# Numbers in, numbers out
# -----------------------
#
# A network computes with arrays of numbers. The features are numbers already; the species are words and become
# :term:`one-hot` vectors, one column for each class, with a single 1 in each row.

x = table.select(features).to_numpy()
classes = np.unique(species)
y = (species[:, None] == classes).astype(float)
print("x", x.shape, "y", y.shape)
print(species[50], y[50])

# %%
# Split
# -----
#
# Rows that a network has learned from cannot tell how good it is on new ones. So first a fifth of the rows is put aside
# for the :term:`test <test rows>`, to be opened once at the very end. A fifth of the rest, 16 % of all, is for
# :term:`validation <validation rows>`: by them networks and settings are compared. This choice makes the best
# validation score a little too good, which is why the test rows exist. The other 64 % :term:`train <training rows>`.

order = np.random.default_rng(0).permutation(len(x))
test, rest = order[:30], order[30:]
validation, training = rest[:24], rest[24:]
print(len(training), len(validation), len(test))

# %%
# Normalise
# ---------
#
# Weights start near zero with sizes that suit inputs of about one. So features are shifted and scaled to mean 0 and
# deviation 1, by mean and deviation of the *training* rows alone: nothing may leak from the others. It is not always
# needed: values that already are near one may stay, and of images it is usual to divide by 255.

mean, deviation = x[training].mean(axis=0), x[training].std(axis=0)
print("before:", x[training].mean(axis=0).round(2), x[training].std(axis=0).round(2))
normalised = (x - mean) / deviation
print("after: ", abs(normalised[training].mean(axis=0)).round(2), normalised[training].std(axis=0).round(2))

# %%
# Build
# -----
#
# The shapes must fit: four inputs, three outputs. Between them stand 8 hidden neurons. The softmax at the end makes
# probabilities.

network = shoal.Network([shoal.Dense(8, activation="relu"), shoal.Dense(3, activation="softmax")], input_shape=(4,))
print(network.summary())

network.draw(feature_names=features, class_names=classes)

# %%
# Where shapes do not fit, an error says so and which layer is meant:

try:
    network.fit(x[:, :3], y, loss="categorical_crossentropy")
except shoal.ShoalError as error:
    print(error)

# %%
# Train
# -----
#
# The loss is the :term:`cross-entropy`, which belongs to softmax. After each :term:`epoch` it is measured on the
# validation rows as well, and so is the :term:`accuracy`. Nothing happens to the rows on the way: what is given is what
# is learned from.

trained = network.fit(
    normalised[training],
    y[training],
    validation_data=(normalised[validation], y[validation]),
    loss="categorical_crossentropy",
    optimizer="adam",
    learning_rate=0.01,
    epochs=200,
    batch_size=8,
    metrics=["accuracy"],
    restore_best_weights=True,
)
trained.plot()

# %%
# Training is dashed. The training loss goes on falling; that of the validation rows need not, which is
# :doc:`overfitting <overfitting>`. `restore_best_weights` keeps the weights of the epoch with the lowest validation
# loss; without it they are those of the last epoch. They can be looked at by the names of the layers:

print("best epoch:", trained.best_epoch)
print("bias of the output neurons:", trained.weights["dense_1"]["bias"].round(2))

# %%
# Test
# ----
#
# Now, once, the test rows:

print(trained.evaluate(normalised[test], y[test]))
answers = trained.predict(normalised[test]).argmax(axis=1)
right = answers == y[test].argmax(axis=1)
print(f"{right.sum()} of {len(test)} are right")

# %%
# New flowers are normalised by the same numbers as those before:

flowers = np.array([[5.1, 3.5, 1.4, 0.2], [6.0, 2.7, 5.1, 1.6]])
for probabilities in trained.predict((flowers - mean) / deviation):
    print(dict(zip(classes.tolist(), probabilities.round(3).tolist(), strict=True)))

# %%
# A folder keeps the network, but not how its inputs were normalised: keep mean and deviation with it.

trained.save("iris_network")
again = shoal.TrainedNetwork.load("iris_network")
print("the same after loading:", np.array_equal(again.predict(normalised), trained.predict(normalised)))

# %%
# Many networks at once
# ---------------------
#
# One network was good or bad by its start and by the choice of its settings. `shoal.fit` does all of the above from the
# file: it reads, splits, encodes and normalises, and keeps what new rows need. And it trains many networks, with
# settings drawn at random, compares them on the validation rows, and keeps the best as an :term:`ensemble`.

run = shoal.fit("iris.csv", target="species", networks=24, epochs=100)
print(run.metrics["rows"])

# %%
# At the end it opens the test rows; they are others than those above. The share that is right is known only roughly of
# 30 rows, which the interval says: of 100 such intervals about 95 hold the accuracy on all flowers of this kind.

accuracy = run.metrics["test"]["accuracy"]
print(f"accuracy {accuracy['value']:.3f}, 95 % interval {accuracy['low']:.3f} to {accuracy['high']:.3f}")

# %%
# Which species are mixed up stands in the :term:`confusion matrix`, with a row for each true class:

print(run.metrics["confusion_matrix"]["classes"])
for row in run.metrics["confusion_matrix"]["rows_are_true"]:
    print(row)

# %%
# New flowers are normalised by the run itself:

prediction = run.predict(dict(zip(features, flowers.T, strict=True)))
for label, row in zip(prediction.labels, prediction.probabilities, strict=True):
    print(label, dict(zip(prediction.classes, row.round(3).tolist(), strict=True)))

# %%
# Which species it names where, with the other two columns at their medians; the dots are training rows:

run.decision_boundary(features[2], features[3]).draw()

# %%
# The run left a page with all of it, `report.html`. On the command line, the same is
#
# .. code-block:: text
#
#    shoal fit iris.csv --target species --networks 24 --epochs 100
#
# Exercises
# ---------
#
# **1.** Why are mean and deviation for normalising not computed from all 150 rows?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The test rows stand for flowers that have not been seen yet. Whatever is computed from them before the end makes
#    the score a little too good.
#
# **2.** You train five networks, compare them on the test rows and publish the best test score. What is wrong?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The best of five scores is lucky as well as good; on new flowers it will be lower. Compare on the validation rows.
#    If several finished networks must be compared on test rows, say how many there were.
#
# **3.** Of 30 test rows 29 are right. Which accuracies are plausible?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The binomial standard deviation near 0.95 is :math:`\sqrt{0.95 \cdot 0.05 / 30} \approx 0.04`: anything from about
#    0.85 to 1. Two networks that differ by one flower do not differ.
