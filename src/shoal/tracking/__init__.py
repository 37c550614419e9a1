"""Finished runs told to the trackers that people keep their experiments in, each a file of `trackers/`."""
