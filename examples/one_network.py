"""
One network
===========

The 4-8-3 network on iris in Python, trained on arrays as in Keras: its curve, weights and file.
"""

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split

import shoal

x, y = load_iris(return_X_y=True)
x, x_test, y, y_test = train_test_split(x, y, test_size=0.2, stratify=y, random_state=0)
mean, scale = x.mean(axis=0), x.std(axis=0)
x, x_test = (x - mean) / scale, (x_test - mean) / scale

network = shoal.Network([shoal.Dense(8, activation="relu"), shoal.Dense(3, activation="softmax")], input_shape=4)
trained = network.fit(
    x,
    y,
    loss="sparse_categorical_crossentropy",
    learning_rate=0.01,
    epochs=100,
    batch_size=8,
    validation_split=0.2,
    metrics=["accuracy"],
)

print(trained)
print(f"test rows: {trained.evaluate(x_test, y_test)}")
print(f"bias of the output neurons: {trained.weights['dense_1']['bias'].round(2)}")
trained.plot("one_network_history.svg")
trained.draw("one_network.svg")
trained.save("one_network")
again = shoal.TrainedNetwork.load("one_network")
print(f"the same after loading: {(again.predict(x_test) == trained.predict(x_test)).all()}")
