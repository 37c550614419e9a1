"""Learning without data and without gradients: algorithms, environments, and what comes of them."""
