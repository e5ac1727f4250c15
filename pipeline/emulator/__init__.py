"""The command stream that Vela writes: read, decoded, emulated and checked, without any hardware.

Three shelves, each on the one before. ``stream`` opens the compiled file and decodes its words, registers and weights;
``machine`` plans the commands and runs them in numpy; ``proof`` checks what running samples can't show, with a file for
each of the quantized model's operators. Everything here is inferred from Arm's open compiler and from TensorFlow Lite
Micro, whose bytes it reproduces; none of it was compared with silicon.
"""
