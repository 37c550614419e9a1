"""What is done with finished runs: cuts are chosen, runs compared, inputs varied, answers explained, formulas found."""
