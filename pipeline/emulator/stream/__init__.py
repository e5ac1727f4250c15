"""The compiled file as Vela writes it: its words, registers and weights."""
