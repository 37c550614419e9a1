"""The notes' program in scikit-learn: one network 4-8-3 on iris, 96/24/30 rows.

    pip install scikit-learn
    python benchmarks/sklearn_iris.py

It holds nothing of shoal. `MLPClassifier` validates after no epoch, so the validation rows are scored once.
"""

import argparse
import warnings

from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

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

model = MLPClassifier(
    (8,),
    activation="relu",
    solver="adam",
    alpha=0.0,
    batch_size=8,
    learning_rate_init=0.001,
    max_iter=given.epochs,
    n_iter_no_change=given.epochs + 1,  # all epochs are trained
    random_state=given.seed,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(x_train, y_train)
validation, loss = (log_loss(b, model.predict_proba(a)) for a, b in ((x_val, y_val), (x_test, y_test)))
accuracy = model.score(x_test, y_test)
print(f"scikit-learn: test accuracy {accuracy:.4f}, log-loss {loss:.4f}, validation loss {validation:.4f}")
