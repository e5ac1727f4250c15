import time

import pytest

from tui.data import formats


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0.0 s"),
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (192, "3 min 12 s"),
        (3599.6, "1 h 00 min"),
        (3900, "1 h 05 min"),
        (360_000, "100 h 00 min"),
    ],
)
def test_a_span_of_time_never_shows_sixty_of_a_unit(seconds: float, shown: str) -> None:
    assert formats.duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "now"),
        (0.9, "now"),
        (1, "1 s ago"),
        (59.9, "59 s ago"),
        (60, "1 min ago"),
        (7199, "1 h ago"),
        (86_400 * 40, "40 d ago"),
    ],
)
def test_an_age_is_told_in_one_unit_and_a_clock_that_ran_ahead_says_now(seconds: float, shown: str) -> None:
    assert formats.age(seconds) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0.0 KiB"),
        (3072, "3.0 KiB"),
        (674_099, "658.3 KiB"),
        (9999 * 1024, "9,999.0 KiB"),
        (10_000 * 1024, "9.8 MiB"),
        (2**31, "2,048.0 MiB"),
    ],
)
def test_a_size_is_in_kib_until_that_takes_five_digits(count: float, shown: str) -> None:
    assert formats.size(count) == shown


@pytest.mark.parametrize(
    ("count", "shown"),
    [(0, "0"), (384, "384"), (999, "999"), (1000, "1.00k"), (32_100, "32.1k"), (6_220_000, "6.22M"), (5e9, "5.00G")],
)
def test_a_count_is_short(count: float, shown: str) -> None:
    assert formats.short(count) == shown


@pytest.mark.parametrize("count", [9.994e3, 9_996, 99_960, 999_960, 9.999e6, 99.97e6, 999.99e6, 9.9999e9, 123e9])
def test_a_short_count_has_at_most_five_characters_also_where_it_is_rounded_up(count: float) -> None:
    assert len(formats.short(count)) <= 5, formats.short(count)


def test_shares_and_their_differences() -> None:
    assert formats.percent(0.98254) == "98.25 %"
    assert formats.percent(None) == "-"
    assert formats.points(-0.0004) == "-0.04 points"
    assert formats.points(0.012) == "+1.20 points"


@pytest.mark.parametrize("width", [0, 1, 7, 20])
@pytest.mark.parametrize("share", [-1.0, 0.0, 1e-9, 0.3, 0.5, 0.999, 1.0, 7.0])
def test_a_bar_is_as_wide_as_it_was_asked_to_be(share: float, width: int) -> None:
    if width or share <= 0:
        assert len(formats.bar(share, width)) == width


def test_a_bar_shows_the_smallest_share_and_is_full_only_at_the_end() -> None:
    assert formats.bar(0, 4) == "    "
    assert formats.bar(1e-6, 4) == "▏   "
    assert formats.bar(0.5, 4) == "██  "
    assert formats.bar(1, 4) == "████"


FOREIGN = {
    "colours": ("\x1b[1;31mred\x1b[0m [bold]", "red [bold]"),
    "a cursor that moves": ("a\x1b[2Kb\x1b[10;20Hc\x1b[?25l", "abc"),
    "a title, ended by BEL": ("\x1b]0;title\x07text", "text"),
    "a link, ended by ST": ("\x1b]8;;https://x\x1b\\link\x1b]8;;\x1b\\", "link"),
    "a link without an end": ("text\x1b]8;;https://x", "text"),
    "a choice of characters, as tput sgr0 makes": ("a\x1b(B\x1b[mb", "ab"),
    "cursor kept and brought back": ("a\x1b7b\x1b8c", "abc"),
    "a reset": ("a\x1bcb", "ab"),
    "a device control string": ("a\x1bP1$r0m\x1b\\b", "ab"),
    "half an escape": ("text\x1b[", "text"),
    "a lone escape": ("text\x1b", "text"),
    "NUL, backspace, DEL and C1": ("a\0b\x08c\x7fd\x9be", "abcde"),
    "tabs": ("a\tb", "a   b"),
    "emoji and brackets": ("🦾 [/] [link=x] ]", "🦾 [/] [link=x] ]"),
}


@pytest.mark.parametrize(("text", "shown"), FOREIGN.values(), ids=FOREIGN)
def test_foreign_text_keeps_its_words_and_loses_what_moves_a_terminal(text: str, shown: str) -> None:
    assert formats.plain(text) == shown


def test_a_long_line_of_nothing_but_escapes_takes_no_time() -> None:
    began = time.monotonic()
    for piece in ("\x1b", "\x1b[", "\x1b]", "\x1b]8;;", "\x1b[1;", "\x1bP", "\x1b "):
        formats.plain(piece * 20_000)
    assert time.monotonic() - began < 5


def test_what_is_cut_says_so() -> None:
    assert formats.clipped("12345", 5) == "12345"
    assert formats.clipped("123456", 5) == "1234…"
    assert formats.clipped("12", 0) == "…"


def test_one_is_not_many() -> None:
    assert [formats.count(number, "stage") for number in (0, 1, 2, 1200)] == [
        "0 stages",
        "1 stage",
        "2 stages",
        "1,200 stages",
    ]


def test_every_state_has_a_sign_of_its_own_so_that_no_colour_is_needed() -> None:
    assert len(set(formats.GLYPHS.values())) == len(formats.GLYPHS)
