r"""
No data at all
==============

A robot that shall learn to move has no table of right answers. What it can be told is how well it did. This page lets
populations of small networks learn from that alone, without examples and without a :term:`gradient`.
"""

# %%
# Fitness instead of labels
# -------------------------
#
# Everything before needed rows with labels, and a cost whose slope says in which direction each weight should go. Here
# is neither. A network sees the state of a pendulum, says how hard a motor shall turn, sees the next state, and so on
# for ten seconds. Afterwards a single number tells how it went, its :term:`fitness`. No one knows which of the 200
# torques was a mistake.
#
# The motor is too weak to lift the pendulum. It has to swing it to and fro first, and that nobody tells the network.
#
# What helps is trying: make many networks, let all of them act, keep what the good ones have, and vary it. A
# :term:`generation` is one round of that. With 256 networks of 81 weights, some forty rounds are enough:

import matplotlib.pyplot as plt
import numpy as np

import shoal

run = shoal.evolve("pendulum", "3 16:tanh 1:tanh", seed=2, generations=40)
print(run)

# %%
# Three kinds of starts
# ---------------------
#
# A pendulum that happens to begin almost upright is easy, so that luck counts. All members of a generation therefore
# begin from the same starts, new ones each time. With 256 members the best of a generation is still the luckiest, too;
# the champion is chosen on 100 starts of its own, and what is told of it comes from 1,000 others. This is training,
# validation and test again.

log = run.log
fig, ax = plt.subplots(figsize=(6, 3.2))
ax.fill_between(log["generation"], log["lower_quartile"], log["upper_quartile"], alpha=0.3, label="middle half")
ax.plot(log["generation"], log["median"], label="median")
ax.plot(log["generation"], log["best"], "k", lw=0.8, label="best")
ax.set(xlabel="generation", ylabel="fitness")
ax.legend()
plt.show()

# %%
# What it has found
# -----------------
#
# The angle is zero where the pendulum stands, and π where it hangs; a full turn further it stands as well. From a start
# at which it almost hangs, it is swung to and fro to gain speed.

hanging = next(i for i in range(1000) if abs(run.behaviour(i)["states"][0, 0]) > 3.0)
shown = run.behaviour(hanging)
fig, (above, below) = plt.subplots(2, 1, figsize=(6, 3.6), sharex=True)
above.plot(shown["time"], shown["states"][:, 0])
above.axhline(0, color="grey", lw=0.5)
above.set(ylabel="angle in rad")
below.plot(shown["time"], shown["actions"][:, 0], drawstyle="steps-post")
below.set(xlabel="time in s", ylabel="output")
plt.show()

# %%
# Three ways to vary
# ------------------
#
# - A genetic algorithm keeps the best fifth as parents. Children take each weight from one of two parents and add
#   normal numbers, whose size they inherit, too, and vary. This is :term:`genetic learning` in its simplest form.
# - OpenAI's evolution strategy keeps one network only. Pairs of steps :math:`\pm\sigma\varepsilon` from it are tried,
#   and it moves along :math:`\sum_i r_i \varepsilon_i`, with :math:`r_i` the ranks of their fitness. This estimates a
#   gradient from values alone.
# - CMA-ES keeps a normal distribution and learns its covariance from the steps that succeeded, so that it takes long
#   steps along valleys and short ones across.
#
# All three use ranks: it does not matter whether the best is better by much or by little.

for algorithm in ("genetic", "openai-es", "cma-es"):
    done = shoal.evolve("cart-pole", "4 5:tanh 1:tanh", algorithm=algorithm, seeds=3, generations=60)
    generations = [len(champion.learnt.generations) for champion in done.champions]
    print(f"{algorithm:10s} cart-pole solved by {sum(c.test.solved for c in done.champions)} of 3, after {generations}")

# %%
# Six neurons do for the cart with its pole, which settles what the first page says of robots. The pendulum is harder:
# on it the two that follow one mean often end in a local optimum, from which a population may still have members
# elsewhere.
#
# The same for a table
# --------------------
#
# A loss is a fitness with a minus sign, so that iris can be learnt like this, too. It works, and needs far more
# evaluations than gradient descent, which is told the slope of every weight by a single pass back: use gradients where
# you have them.

from sklearn.datasets import load_iris

x, y = load_iris(return_X_y=True)
x = (x - x.mean(axis=0)) / x.std(axis=0)
iris = shoal.evolve((x, y), "4 8:relu 3:softmax", generations=100)
success = iris.best.test.success
print(f"right of 30 test rows: {100 * success.value:.0f} % [{100 * success.low:.0f}, {100 * success.high:.0f}]")
print(f"evaluations of a network: {iris.best.learnt.evaluations:,}")

# %%
# Your own problem
# ----------------
#
# A fitness is any function of all members' weights, or of their policies. Here each policy is asked for the launch
# angle that hits a target at some distance, with a speed of 10 m/s; no angle is ever given as an example.

distances = np.linspace(1.0, 9.0, 30)[:, None]


def hits(policy):
    angle = policy(np.broadcast_to(distances / 10, (len(policy), 30, 1)))[..., 0]
    reached = 10.0**2 / 9.81 * np.sin(2 * angle)
    return -np.abs(reached - distances[:, 0]).mean(axis=1)


archer = shoal.evolve(hits, "1 6:tanh 1", algorithm="cma-es", generations=150)
print(f"misses by {-archer.best.test.fitness.value:.3f} m on average")

# %%
# Exercises
# ---------
#
# **1.** Take the pendulum with three neurons instead of 16. Does it still learn to swing up?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    `shoal.evolve("pendulum", "3 3:tanh 1:tanh", seeds=5)` tells it for five seeds. The share of seeds that are solved
#    is what to compare, never a single one.
#
# **2.** Let `population` be 16. What happens, and why do more generations not always help?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    A small population soon consists of relatives: what none of them has cannot be combined, only found by mutation.
#
# **3.** Why is the best of a generation's 256 members not judged by the fitness that it had there?
#
# .. admonition:: Answer
#    :collapsible: closed
#
#    It is the largest of 256 noisy numbers, and so too high on average, as in
#    :doc:`the choice of hyperparameters <hyperparameters>`.
