"""Tables whose rows do not fit into memory: files read in pieces, rows dealt by hashes, samples of them."""
