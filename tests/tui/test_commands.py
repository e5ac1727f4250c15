"""The command palette: every entry does something, and every stage is found by a part of its name."""

from pathlib import Path

import pytest
from textual.command import Hit
from textual.content import Content
from textual.pilot import Pilot

from tests.tui.conftest import settled, until
from tests.tui.recorded import Recorded
from tui.app import Dashboard
from tui.commands import ACTIONS, GoToProvider
from tui.screens.compare import CompareScreen
from tui.widgets.stage_table import StageTable

WIDE = (120, 40)


async def found(dashboard: Dashboard, query: str) -> list[Hit]:
    """Return what the palette offers, the best first."""
    provider = GoToProvider(dashboard.screen)
    hits = [hit async for hit in provider.search(query) if isinstance(hit, Hit)]
    return sorted(hits, key=lambda hit: -hit.score)


async def typed(pilot: Pilot[None], text: str) -> None:
    """Choose the first that the palette offers for a text."""
    await pilot.press("ctrl+p", *text)
    await until(pilot, lambda: (options := pilot.app.screen.query_one("CommandList")) and options.option_count)  # type: ignore[attr-defined]
    await pilot.press("enter")


async def test_every_action_is_offered_and_runs(
    recorded: Recorded, dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(dashboard.engine, "start", lambda *commands: started.append(commands))
    monkeypatch.setenv("VISUAL", "no such editor")
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        offered = [str(hit.display) async for hit in GoToProvider(dashboard.screen).discover()]  # type: ignore[union-attr]
        assert set(ACTIONS) <= set(offered)
        await pilot.press("j")
        for name in ACTIONS:
            started.clear()
            dashboard._notifications.clear()
            (hit, *_) = await found(dashboard, name)
            assert str(hit.match_display) == name
            await hit.command()
            await until(pilot, lambda: dashboard._notifications or dashboard.screen is not dashboard.main)
            assert bool(started) == (name.startswith(("Run", "Force", "Compile"))), name
            if dashboard.screen is not dashboard.main:
                await dashboard.pop_screen()


async def test_a_stage_is_gone_to_by_a_part_of_its_name(recorded: Recorded, dashboard: Dashboard) -> None:
    recorded.write()
    recorded.write("other")
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        table = dashboard.main.query_one(StageTable)
        await pilot.press("left")
        await typed(pilot, "quantized:key")
        await until(pilot, lambda: table.current == "keyword/quantized:keyword")


async def test_what_is_filtered_away_or_behind_another_screen_is_gone_to(
    recorded: Recorded, dashboard: Dashboard
) -> None:
    recorded.write()
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        table = dashboard.main.query_one(StageTable)
        table.filter("xyz")
        await pilot.press("d")
        await until(pilot, lambda: isinstance(dashboard.screen, CompareScreen))
        (hit, *_) = await found(dashboard, "accuracy:keyword")
        hit.command()
        await until(pilot, lambda: table.current == "keyword/accuracy:keyword")
        assert dashboard.screen is dashboard.main


async def test_names_and_descriptions_with_brackets_are_shown_as_written(
    recorded: Recorded, dashboard: Dashboard
) -> None:
    recorded.write(description="[red]not[/] markup [")
    Path("experiments/[bold]x[.toml").touch()  # noqa: ASYNC240 - a test may wait for its disk
    async with dashboard.run_test(size=WIDE) as pilot:
        await settled(pilot)
        (odd,) = await found(dashboard, "bold")
        assert str(odd.match_display) == "Go to [bold]x[" == odd.text
        plain = next(hit for hit in await found(dashboard, "keyword") if hit.text == "Go to keyword")
        assert Content.from_markup(plain.help or "").plain == "[red]not[/] markup ["
        await typed(pilot, "bold")
        await until(pilot, lambda: dashboard.main.query_one(StageTable).current == "[bold]x[")


async def test_nothing_is_found_before_the_first_look(recorded: Recorded, dashboard: Dashboard) -> None:
    del recorded
    async with dashboard.run_test(size=WIDE):
        dashboard.snapshot = None
        assert await found(dashboard, "Go to") == []
