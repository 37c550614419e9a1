"""The notes' program in Keras on TensorFlow: one network 4-8-3 on iris, 96/24/30 rows.

    pip install keras tensorflow scikit-learn
    KERAS_BACKEND=tensorflow python benchmarks/keras_iris.py

It holds nothing of shoal, and nothing that the notes' program does not need.
"""

import argparse
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
given = parser.parse_args()

keras.utils.set_random_seed(given.seed)
x, y = load_iris(return_X_y=True)
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=30, stratify=y, random_state=given.seed)
x_train, x_val, y_train, y_val = train_test_split(
    x_rest, y_rest, test_size=24, stratify=y_rest, random_state=given.seed
)
scaler = StandardScaler().fit(x_train)
x_train, x_val, x_test = (scaler.transform(part) for part in (x_train, x_val, x_test))

model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")]
)
model.compile(optimizer=keras.optimizers.Adam(0.001), loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, validation_data=(x_val, y_val), epochs=given.epochs, batch_size=8, verbose=0)
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"{keras.backend.backend()}: test accuracy {accuracy:.4f}, log-loss {loss:.4f}")
