"""What is done with finished runs: a cut on the score is chosen, runs are compared, inputs are varied."""

from shoal.afterwards.comparing import compare as compare
from shoal.afterwards.selecting import select as select
from shoal.afterwards.varying import systematics as systematics
