"""How good the result is: metrics with intervals, baselines, verdicts, the predictor."""
