"""A short formula in place of the ensemble: it is searched for, refitted, shortened, and compared."""
