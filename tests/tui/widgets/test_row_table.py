"""What the tables have in common."""

from textual.app import App, ComposeResult
from textual.content import Content

from tui.widgets.row_table import RowTable


class Rows(App[None]):
    """A table of three rows with two columns of ten."""

    def __init__(self) -> None:
        super().__init__()
        self.entered: list[str | None] = []

    def compose(self) -> ComposeResult:
        yield RowTable(cursor_type="row")

    def on_mount(self) -> None:
        table = self.query_one(RowTable)
        table.add_column("first", width=8)
        table.add_column("second", width=8)
        for name in "abc":
            table.add_row(Content(name), Content(name), key=name)

    def on_data_table_row_selected(self, event: RowTable.RowSelected) -> None:
        self.entered.append(event.row_key.value)


async def test_a_click_on_the_row_under_the_cursor_enters_it_whatever_column_it_hits() -> None:
    app = Rows()
    async with app.run_test() as pilot:
        await pilot.click(RowTable, offset=(15, 2))
        assert (app.query_one(RowTable).cursor_row, app.entered) == (1, [])
        for column in (2, 15, 15, 2, 60):
            await pilot.click(RowTable, offset=(column, 2))
        assert app.entered == ["b"] * 5
        await pilot.click(RowTable, offset=(2, 0))
        await pilot.click(RowTable, offset=(2, 20))
        assert app.entered == ["b"] * 5, "the head and the room below the rows are no rows"


async def test_keys_of_vi_move_the_cursor() -> None:
    app = Rows()
    async with app.run_test() as pilot:
        rows = []
        for key in ("j", "G", "k", "g"):
            await pilot.press(key)
            rows.append(app.query_one(RowTable).cursor_row)
        assert rows == [1, 2, 1, 0]
