"""What an ensemble looks at: importance of columns, their effect, parts of single answers, interactions."""
