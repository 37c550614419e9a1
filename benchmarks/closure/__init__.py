"""Closure tests: laws and errors are known, so that every error bar can be compared with the error that was made."""
