"""A grid: an experiment with some of its choices varied, every point built like any other experiment."""
