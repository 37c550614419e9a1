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
# trained in five folds of the rows (:term:`cross-validation`), and the error of the score stands beside it.

import matplotlib.pyplot as plt

import shoal

base = {"activation": "relu", "optimizer": "adam", "learning_rate": 0.01, "epochs": 60, "batch_size": 16, "l2": 0.0}
widths = shoal.choices(2, 1, 8, 32)  # the first is the base
run = shoal.fit("iris", search="one-at-a-time", hidden=widths, cv=5, page=False, **base)
tried = sorted(run.metrics["search"]["knobs"]["hidden"]["tried"], key=lambda each: each["value"])
for each in tried:
    verdict = "worse than the best by more than chance" if each["worse_than_best"] else ""
    print(f"{each['value'][0]:2} neurons: validation loss {each['score']:.3f} ± {each['standard_error']:.3f} {verdict}")

figure, ax = plt.subplots(figsize=(4.6, 3), layout="constrained")
neurons, scores, errors = zip(*((t["value"][0], t["score"], t["standard_error"]) for t in tried), strict=True)
ax.errorbar(neurons, scores, errors, fmt="o-", capsize=3)
ax.set(xscale="log", xlabel="hidden neurons", ylabel="validation loss")
plt.show()

# %%
# All widths are judged on the same rows, and a hard row is hard for all of them. So shoal compares them row by row, and
# asks for more where several are compared with the best: one of many is easily worse by chance. What is not called
# worse need not be equal.
#
# This way shows what a value does, and is easy to understand. But it sees one line through a space of many dimensions:
# where two hyperparameters go together, such as learning rate and number of epochs, the best pair may lie off that
# line.
#
# At random
# ---------
#
# Set limits for each value, draw many combinations at random within them, train all, write down how each did, and take
# the best. A :term:`grid <grid search>` tries every combination of some values of each; with as many trials it has only
# a few values of each hyperparameter, while at random every trial has new ones (Bergstra and Bengio, *JMLR* 13, 281,
# 2012). Drawing is what shoal does by default, and it trains them together. Here are limits for the learning rate and
# the number of neurons, and everything else is shoal's own choice. The learning rate is drawn evenly in its logarithm:
# between 0.001 and 0.003 about as often as between 0.01 and 0.03.

run = shoal.fit(
    "iris",
    networks=40,
    learning_rate=shoal.between(0.001, 0.1),
    hidden=shoal.between(2, 64),
    epochs=60,
    page=False,
)
log = run.candidates.sort("score")
best = log.row(0, named=True)
print(log.select("score", "learning_rate", "hidden", "activation", "optimizer", "batch_size").head(4))

figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained", sharey=True)
for ax, name in zip(axes, ("learning_rate", "hidden", "batch_size"), strict=True):
    ax.plot(log[name].cast(float), log["score"], "o", ms=4, alpha=0.6)
    ax.set(xlabel=name.replace("_", " "), xscale="log")
    ax.xaxis.set_minor_formatter("")
axes[0].set(ylabel="validation loss", yscale="log")
plt.show()

# %%
# Points above one another differ in all the other choices: no single value decides.
#
# Both, and the price of choosing
# -------------------------------
#
# The two ways go together: draw at random first, then change one value at a time around the best (`base=run,
# search="one-at-a-time"`). Or let the search do so by itself: `search="refine"` draws half of its candidates and then
# moves one hyperparameter of the best at a time, in ever smaller steps. Experience helps to set limits; nothing
# guarantees that the best is found.
#
# One thing is certain: the best validation score of many is too good. It was chosen *because* it was low, partly by
# luck. shoal estimates how much of it is luck; and it has the test rows, which chose nothing.

print("best validation loss of 40:", round(best["score"], 3))
luck = run.metrics["search"]["best_of_n_bias"]["bias"]
print(f"too good by, as estimated: {luck['value']:.3f} [{luck['low']:.3f}, {luck['high']:.3f}]")
test = run.metrics["test"]["log_loss"]
print(f"loss of the ensemble of the best on test rows: {test['value']:.3f} [{test['low']:.3f}, {test['high']:.3f}]")

# %%
# :doc:`/howto/searching` has the commands. Who fits again and again with other settings and looks at the test score
# each time chooses by the test rows after all: :doc:`/howto/sealed_test` keeps them closed until the choice is made.
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
#    Compare their difference with the errors: where it is larger than about twice :math:`\sqrt{e_1^2 + e_2^2}`, this
#    speaks for a difference. Where it is smaller, the bars cannot tell. Both were judged on the same rows, so a
#    comparison row by row tells more.
