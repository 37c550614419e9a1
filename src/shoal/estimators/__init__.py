"""The scikit-learn face: estimators whose `fit` takes the steps of the main job in memory, without a run folder."""
