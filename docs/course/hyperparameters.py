r"""
Hyperparameters
===============

Weights are trained. Everything that is chosen before training is a hyperparameter: how many layers and neurons, which
activation, optimizer, learning rate, batch size, how many epochs, which loss. No rule gives the best choice; there are
ways to look for it.
"""

# %%
# One at a time
# -------------
#
# Start from something reasonable, change one value, keep the rest, and see what it does. Here it is the number of
# hidden neurons. A single comparison can be luck, since each network starts from random weights; so each width is
# trained in five folds of the rows (:term:`cross-validation`), and the error of the mean stands beside it.

import json

import matplotlib.pyplot as plt
import numpy as np

import shoal

base = {"activation": "relu", "optimizer": "adam", "learning_rate": 0.01, "epochs": 60, "batch_size": 16, "l2": 0.0}
widths = (1, 2, 8, 32)
scores = []
for width in widths:
    run = shoal.fit("iris", networks=1, cv=5, hidden=(width,), page=False, **base)
    score = run.candidates.row(0, named=True)
    scores.append((score["score"], score["score_error"]))
    print(f"{width:2} neurons: validation loss {score['score']:.3f} ± {score['score_error']:.3f}")

means, errors = np.array(scores).T
figure, ax = plt.subplots(figsize=(4.6, 3), layout="constrained")
ax.errorbar(widths, means, errors, fmt="o-", capsize=3)
ax.set(xscale="log", xlabel="hidden neurons", ylabel="validation loss")
plt.show()

# %%
# This way shows what a value does, and is easy to understand. But it sees one line through a space of many dimensions:
# where two hyperparameters go together, such as learning rate and number of epochs, the best pair may lie off that
# line.
#
# At random
# ---------
#
# Set limits for each value, draw many combinations at random within them, train all, write down how each did, and take
# the best. With a grid of the same number of points only a few values of each hyperparameter are ever tried; at random
# every trial has new ones (Bergstra and Bengio, *JMLR* 13, 281, 2012). This is what shoal does by default, and it
# trains them together. The learning rate is drawn evenly in its logarithm: between 0.001 and 0.003 as often as
# between 0.01 and 0.03.

run = shoal.fit("iris", networks=60, epochs=60, seed=0, page=False)
log = [{**json.loads(row["candidate"]), "score": row["score"]} for row in run.candidates.iter_rows(named=True)]
log.sort(key=lambda candidate: candidate["score"])
for candidate in (*log[:3], *log[-2:]):
    shown = {name: candidate[name] for name in ("hidden", "activation", "optimizer", "batch_size")}
    print(f"{candidate['score']:.3f}  η = {candidate['learning_rate']:.4f}  {shown}")

figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained", sharey=True)
loss = [candidate["score"] for candidate in log]
axes[0].plot([candidate["learning_rate"] for candidate in log], loss, "o", ms=4, alpha=0.6)
axes[0].set(xscale="log", xlabel="learning rate", ylabel="validation loss", yscale="log")
axes[1].plot([sum(candidate["hidden"]) for candidate in log], loss, "o", ms=4, alpha=0.6)
axes[1].set(xlabel="hidden neurons")
axes[2].plot([candidate["batch_size"] for candidate in log], loss, "o", ms=4, alpha=0.6)
axes[2].set(xlabel="batch size")
plt.show()

# %%
# Points above one another differ in all the other choices: no single value decides.
#
# Both, and the price of choosing
# -------------------------------
#
# The two ways go together: draw at random first, then change one value at a time around the best. And there are other
# strategies, which learn from the trials so far where to try next. Experience helps to set limits; nothing guarantees
# that the best is found.
#
# One thing is certain: the best validation score of many is too good. It was chosen *because* it was low, partly by
# luck. shoal estimates how much of it is luck; and it has the test rows, which chose nothing.

print("best validation loss of 60:", round(log[0]["score"], 3))
print("of it luck, as estimated:", round(run.metrics["search"]["best_of_n_bias"]["bias"]["value"], 3))
test = run.metrics["test"]["log_loss"]
print(f"loss of the ensemble of the best on test rows: {test['value']:.3f} [{test['low']:.3f}, {test['high']:.3f}]")

# %%
# :doc:`/howto/choose_hyperparameters` has the commands.
#
# Exercises
# ---------
#
# **1.** Which of these are hyperparameters: a bias, the number of epochs, λ of the L2 penalty, the seed, the mean by
# which a feature is normalised?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    The number of epochs and λ. The bias is trained, the mean computed from the data. The seed is chosen beforehand,
#    but no value of it is better for new data: whoever picks the best of many seeds has picked luck.
#
# **2.** A grid of 5 values each for 4 hyperparameters: how many networks, and how many different learning rates?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    :math:`5^4 = 625` networks, and 5 learning rates among them. Drawn at random they would have 625.
#
# **3.** In the first figure, are 8 and 32 neurons different?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    Compare their difference with the errors: where it is not larger than about twice :math:`\sqrt{e_1^2 + e_2^2}`,
#    these rows cannot tell. (Both were judged on the same rows, so a comparison in pairs, as `shoal compare` does,
#    tells more.)
