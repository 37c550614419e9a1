"""
A program of Keras
==================

The first program of a course, 4-8-3 on iris, as a shoal: two of its lines are changed, and it has error bars.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from sklearn.datasets import load_iris

import shoal

iris = load_iris(as_frame=True).frame

model = keras.Sequential(
    [
        keras.Input((4,)),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
# was: model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
settings = {"optimizer": "adam", "loss": "categorical_crossentropy", "metrics": ["accuracy"]}
# was: model.fit(x, y, epochs=100, batch_size=8, validation_split=0.2)
run = shoal.fit(iris, target="target", network=model, networks=16, epochs=100, batch_size=8, **settings)

accuracy = run.metrics["test"]["accuracy"]
print(f"test accuracy {accuracy['value']:.2f}, 95 % interval {accuracy['low']:.2f} to {accuracy['high']:.2f}")

# Back to Keras: all kept networks as one model, which needs no shoal.
shoal.export_model(run, "iris.keras", force=True)
whole = keras.saving.load_model("iris.keras")
print(whole.predict(iris.iloc[:2, :4].to_numpy(), verbose=0)["probabilities"].round(3))
print(run.predict(iris.iloc[:2, :4]).probabilities.round(3))
