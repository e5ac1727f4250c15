"""A question above the screen, answered by a key or a button."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.widgets import styling


class ConfirmScreen(ModalScreen[str]):
    """Ends with the answer's key; Escape and the first answer change nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Back", show=False)]

    def __init__(self, question: str, answers: Mapping[str, str]) -> None:
        """Take a question and its answers: key -> words."""
        super().__init__()
        self._question = question
        self._answers = answers

    def compose(self) -> ComposeResult:
        """Lay out the question above its answers."""
        with Vertical(id="question"):
            yield Static(styling.text(self._question))
            with Horizontal():
                for key, answer in self._answers.items():
                    yield Button(styling.text(f"{key}  {answer}"), id=f"answer-{key}")

    def on_key(self, event: events.Key) -> None:
        """Take the key of an answer."""
        if event.key in self._answers:
            self.dismiss(event.key)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Take the button of an answer."""
        self.dismiss(str(event.button.id).removeprefix("answer-"))

    def action_give_up(self) -> None:
        """Change nothing."""
        self.dismiss(next(iter(self._answers)))
