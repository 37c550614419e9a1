"""The words of other servers, each a thin file: routes that turn them into those of shoal and back."""
