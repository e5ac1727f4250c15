"""The confusion matrix in the accuracy tab: what was taken for what."""

from textual.content import Content

from tui.data.accuracy import Confusion, mistaken_most
from tui.widgets import styling

MOST_CLASSES = 20
"""A table of more classes can't be read on a screen."""


def confusion_lines(name: str, confusion: Confusion, columns: int) -> list[Content]:
    """Return the table where it has room, and the commonest mistakes."""
    if not confusion or not all(confusion):
        return [styling.text("confusion.json holds no matrix", "$text-error")]
    mistakes = [
        f"{label} taken for {predicted} ({samples})" for label, predicted, samples in mistaken_most(confusion, 5)
    ]
    most = styling.text(f"commonest mistakes: {', '.join(mistakes)}" if mistakes else "no mistakes")
    width = max(len(str(max(max(row) for row in confusion))), 2) + 1
    if len(confusion) > MOST_CLASSES or 4 + width * len(confusion) > columns:
        return [styling.text(f"confusion, {name}", styling.HEADING), most]
    head = styling.text("    " + "".join(f"{label:>{width}}" for label in range(len(confusion))), styling.MUTED)
    rows = [
        styling.row(
            styling.text(f"{label:>3} ", styling.MUTED),
            *(_cell(label, predicted, samples, width) for predicted, samples in enumerate(row)),
        )
        for label, row in enumerate(confusion)
    ]
    title = styling.text(f"confusion, {name}: rows are labels, columns predictions", styling.HEADING)
    return [title, head, *rows, most]


def _cell(label: int, predicted: int, samples: int, width: int) -> Content:
    style = "$text-success" if label == predicted else "$text-error" if samples else styling.MUTED
    return styling.text(f"{samples or '·':>{width}}", style)
