"""Whether a compiled file computes what the quantized model does: checks for every input, and samples."""
