"""Styled text: nothing is markup, tables stand straight, and every style is known to every theme."""

import pytest
from textual.app import App
from textual.style import Style
from textual.theme import BUILTIN_THEMES

from tui.data import formats
from tui.widgets import styling

USED = {
    *styling.STYLES.values(),
    *(styling.HEADING, styling.MUTED, styling.BAR, "$error", "$text-error", "$text-success", "$text-warning bold"),
    *("$text-accent", "$text-accent bold"),
}


@pytest.mark.parametrize("name", sorted(BUILTIN_THEMES))
def test_every_style_is_a_colour_in_every_theme(name: str) -> None:
    app = App[None]()
    app.theme = name
    variables = app.get_css_variables()
    ground = Style.parse("$foreground on $background", variables)
    for style in USED:
        seen = ground + Style.parse(style, variables)
        color = seen.rich_style.color
        assert color is None or color.is_default or color != seen.rich_style.bgcolor, style


def test_every_state_has_a_sign_and_a_style() -> None:
    assert set(styling.STYLES) == set(formats.GLYPHS)
    assert styling.state("running", " 30 %").plain == "▶ running 30 %"


@pytest.mark.parametrize("string", ["[bold]x[/]", "[", "[/nothing]", "[@click=app.quit]x[/]", "\\[x]", "🦜"])
def test_brackets_are_no_markup(string: str) -> None:
    assert styling.text(string).plain == styling.text(string, "bold").plain == string
    assert styling.row(string, " ", styling.text(string)).plain == f"{string} {string}"
    assert styling.lines([string, ""]).plain == f"{string}\n"
    assert styling.table([[string, string]])[0].plain.split() == f"{string} {string}".split()


def test_escape_sequences_are_taken_out() -> None:
    assert styling.text("\x1b[31mred\x1b[0m\x07").plain == "red"


def test_a_bar_is_as_wide_as_told_whatever_its_share() -> None:
    assert {styling.bar(share, 8).cell_length for share in (-1.0, 0.0, 0.001, 0.5, 1.0, 7.0)} == {8}


def test_cells_stand_below_each_other_though_letters_are_wide() -> None:
    rows = styling.table([["名前", "1"], ["abcdef", "2"], ["x", "3"]])
    assert [row.plain for row in rows] == ["名前    1", "abcdef  2", "x       3"]


def test_the_last_cell_is_wrapped_under_itself() -> None:
    first, *more = styling.table([["why", "units 256 -> 128 and more of the same"]], 24)
    assert first.plain == "why  units 256 -> 128"
    assert [line.plain for line in more] == ["     and more of the", "     same"]


def test_rows_of_unequal_length_and_no_rows_are_tables_too() -> None:
    assert styling.table([]) == []
    assert [row.plain for row in styling.table([["a"], ["b", "c"], []])] == ["a", "b  c", ""]


@pytest.mark.parametrize("columns", range(-3, 60))
def test_names_and_values_fit_any_width(columns: int) -> None:
    found = styling.named([("cycles_total", "6,000,000, estimated by Vela"), ("x", "")], columns)
    said = " ".join(" ".join(line.plain for line in found).split())
    assert said.startswith("cycles_total 6,000,000,")
    assert "Vela" in said
