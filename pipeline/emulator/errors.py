"""What can be wrong with a compiled file, or with our reading of it."""

from pipeline.errors import UnrollError


class StreamError(UnrollError):
    """The file or its command stream is damaged, foreign, or not of the model; the sentence names the place."""


class NotVerifiedError(UnrollError):
    """Something the emulator does not cover; it says what, and never guesses."""
