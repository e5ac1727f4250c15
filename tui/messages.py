"""What the widgets tell each other."""

from dataclasses import dataclass

from textual.message import Message


@dataclass
class Selected(Message):
    """The cursor is on an experiment, or on one of its stages."""

    experiment: str
    job: str | None


@dataclass
class Opened(Message):
    """The selected stage was opened: its details are wanted."""


@dataclass
class FilterChanged(Message):
    """The text to look for changed."""

    text: str


@dataclass
class FilterClosed(Message):
    """The filter was closed, kept or given up."""


@dataclass
class Assessed(Message):
    """The files were looked at, in a thread of its own."""
