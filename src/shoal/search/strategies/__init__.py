"""Strategies: which candidates to try next, one file each."""
