"""A finished run as a program of another language."""
