"""Data sets that come with shoal, and what generates some of them."""
