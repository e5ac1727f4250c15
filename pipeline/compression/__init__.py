"""Weights that Vela encodes in few bits: zeros, and few values shared by a whole matrix."""
