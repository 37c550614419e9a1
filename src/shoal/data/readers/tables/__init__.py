"""Tables: text, Parquet, Arrow, JSON lines, Excel and NumPy."""
