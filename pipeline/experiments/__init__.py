"""Experiment files: the tables they may have, and what is wrong with one in words."""
