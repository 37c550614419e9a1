"""What other programs load: models written as source code."""
