"""Measured errors: chi-square and pulls of the residuals."""
