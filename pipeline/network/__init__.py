"""The centre: one typed network. NumPy and dataclasses; no framework, no file format of others."""
