"""The one exception for what a user can put right."""


class UnrollError(Exception):
    """What was wrong, where, and what to do, as sentences; shown without a traceback."""
