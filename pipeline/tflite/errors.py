"""What can be wrong with a ``.tflite`` file."""

from pipeline.errors import UnrollError


class TfliteError(UnrollError):
    """A file that is damaged, or not what is needed; the sentence says where."""


class ForeignError(TfliteError):
    """A file of another kind."""
