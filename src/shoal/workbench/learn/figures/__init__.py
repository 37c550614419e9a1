"""The figures of Learn, one a file."""
