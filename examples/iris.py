"""
Irises
======

Fit, read the verdict, predict three flowers with the spread over the ensemble.
"""

import shoal

run = shoal.fit("iris", networks=16, epochs=100, seed=0)
print(run.metrics["verdict"]["text"])

accuracy = run.metrics["test"]["accuracy"]
print(f"test accuracy {accuracy['value']:.2f}, 95 % interval {accuracy['low']:.2f} to {accuracy['high']:.2f}")

flowers = {
    "sepal length (cm)": [5.1, 6.0, 6.1],
    "sepal width (cm)": [3.5, 2.7, 2.9],
    "petal length (cm)": [1.4, 5.1, 4.9],
    "petal width (cm)": [0.2, 1.6, 1.7],
}
prediction = run.predict(flowers)
for label, row in zip(prediction.labels, prediction.probabilities, strict=True):
    shares = ", ".join(f"{name} {p:.2f}" for name, p in zip(prediction.classes, row, strict=True))
    print(f"{label}: {shares}")

print(f"The page is {run.path}/report.html")
