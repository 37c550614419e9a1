"""Series: cut into windows, put together from long tables, filled up, with a target for each step."""
