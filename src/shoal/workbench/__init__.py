"""The workbench: the whole of shoal in a browser."""
