"""The notes' program in shoal: one network 4-8-3 on iris, 96/24/30 rows.

    python benchmarks/shoal_iris.py

Line by line what `keras_iris.py` does; `notes_pairs.py` compares and times the two.
"""

import argparse

from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

import shoal

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--epochs", type=int, default=200)
parser.add_argument("--seed", type=int, default=0)
given = parser.parse_args()

x, y = load_iris(return_X_y=True)
x_rest, x_test, y_rest, y_test = train_test_split(x, y, test_size=30, stratify=y, random_state=given.seed)
x_train, x_val, y_train, y_val = train_test_split(
    x_rest, y_rest, test_size=24, stratify=y_rest, random_state=given.seed
)
scaler = StandardScaler().fit(x_train)
x_train, x_val, x_test = (scaler.transform(part) for part in (x_train, x_val, x_test))

network = shoal.Network.parse("4 8:relu 3:softmax")
learning = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"], "epochs": given.epochs, "batch_size": 8}
model = network.fit(x_train, y_train, validation_data=(x_val, y_val), seed=given.seed, **learning)
scores = model.evaluate(x_test, y_test)
print(f"shoal: test accuracy {scores['accuracy']:.4f}, log-loss {scores['loss']:.4f}")
