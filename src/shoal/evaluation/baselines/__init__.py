"""Simple models that networks have to beat."""
