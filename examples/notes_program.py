"""
The classic first program
=========================

One network 4-8-3 on iris, every hyperparameter chosen by hand.
"""

import shoal

network = shoal.Network([shoal.Dense(8, activation="relu"), shoal.Dense(3, activation="softmax")], input_shape=(4,))
print(network.summary())

run = shoal.fit(
    "iris",
    networks=1,
    hidden=(8,),
    activation="relu",
    optimizer="adam",
    learning_rate=0.001,
    epochs=200,
    batch_size=8,
    l2=0.0,
)
accuracy = run.metrics["test"]["accuracy"]
print(f"{run.metrics['networks']['parameters'][0]} parameters (expected {network.parameter_count})")
print(f"test accuracy {accuracy['value']:.2f} [{accuracy['low']:.2f}, {accuracy['high']:.2f}]")
print(run.metrics["verdict"]["overfitting_text"])
