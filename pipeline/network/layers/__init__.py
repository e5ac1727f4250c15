"""The kinds of layers: a module each, found by its place in this folder."""
