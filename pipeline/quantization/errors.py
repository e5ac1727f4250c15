"""What can be wrong with a quantized model."""

from pipeline.errors import UnrollError


class QuantizationError(UnrollError):
    """A representative dataset or a quantized model that can't be used."""
