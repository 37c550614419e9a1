"""What an ensemble says of rows, with its error bars."""
