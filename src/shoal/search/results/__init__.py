"""What came of a search: candidates ranked, how much the best flatters, score against size, what mattered."""
