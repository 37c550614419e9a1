"""How far results move when inputs are shifted or reweighted."""
