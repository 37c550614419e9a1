"""Numbers from numbers: metrics, their intervals by resampling, statistics of weighted events, significance."""
