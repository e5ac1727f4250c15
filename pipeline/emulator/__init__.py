"""The command stream that Vela writes: read, decoded, emulated and checked, without any hardware.

``container`` opens the compiled file, ``commands`` decodes its words, ``weights`` and ``scales`` its
constants. ``machine`` plans and runs the commands in numpy; ``hazards`` and ``equivalence`` check what
running samples can't show. Everything here is inferred from Arm's open compiler and from TensorFlow Lite
Micro, whose bytes it reproduces; none of it was compared with silicon.
"""
