"""What the random numbers of a member are for: the first step in the path of their stream."""

INITIAL, ORDER, DROPOUT = 0, 1, 2
BOOTSTRAP, REPLICA = 5, 6
READING, MIXING = 40, 41
