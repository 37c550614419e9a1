"""One file for each tracker, found by its name; `shoal.tracking.tracker` has what they share."""
