"""The steps of the main job that need more than a line, each in a module of its own."""
