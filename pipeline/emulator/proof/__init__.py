"""Whether the commands compute what the quantized model does, for every input that they can have."""
