"""Finished runs behind HTTP: who may ask, how much, in which words, and what the ensemble answers."""
