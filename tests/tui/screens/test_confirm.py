"""A question above the screen."""

from collections.abc import Sequence

import pytest

from tests.tui.alone import Empty
from tests.tui.conftest import until
from tui.screens.confirm import ConfirmScreen

ANSWERS = {"c": "cancel", "k": "keep [it] running", "y": "stop it and quit"}


@pytest.mark.parametrize(
    ("keys", "answer"),
    [
        (["y"], "y"),
        (["k"], "k"),
        (["escape"], "c"),
        (["x", "5", "Y", "escape"], "c"),
        (["enter"], "c"),
        (["tab", "enter"], "k"),
        (["tab", "tab", "enter"], "y"),
        (["y", "y", "c"], "y"),
    ],
)
async def test_keys_answer(keys: Sequence[str], answer: str) -> None:
    answers: list[str | None] = []
    app = Empty()
    async with app.run_test(size=(50, 24)) as pilot:
        await app.push_screen(ConfirmScreen("Stop [bold]it[?", ANSWERS), answers.append)
        await pilot.press(*keys)
        assert answers == [answer]


@pytest.mark.parametrize("size", [(120, 30), (50, 24)])
async def test_buttons_answer_and_all_of_them_are_in_sight(size: tuple[int, int]) -> None:
    answers: list[str | None] = []
    app = Empty()
    async with app.run_test(size=size) as pilot:
        for answer in ANSWERS:
            await app.push_screen(ConfirmScreen("Stop it?", ANSWERS), answers.append)
            await pilot.pause()
            button = app.screen.query_one(f"#answer-{answer}")
            assert app.screen.region.contains_region(button.region)
            await pilot.click(f"#answer-{answer}")
            await until(pilot, lambda answer=answer: answers[-1:] == [answer])  # type: ignore[misc]
    assert answers == list(ANSWERS)
