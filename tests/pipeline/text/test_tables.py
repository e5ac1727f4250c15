from collections.abc import Callable

import pytest

from pipeline.text import tables


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert tables.plain(("name", "cycles"), [("a", "1"), ("longer", "1,000")], right=[1]) == [
        "name    cycles",
        "a            1",
        "longer   1,000",
    ]


def test_an_empty_table_has_its_header() -> None:
    assert tables.plain(("name", ""), []) == ["name"]


def test_markdown_aligns_numbers_and_keeps_a_bar_in_its_cell() -> None:
    assert tables.markdown(("name", "cycles"), [("a|b", "1")], right=[1]) == [
        "| name | cycles |",
        "| --- | ---: |",
        "| a\\|b | 1 |",
    ]


def test_bytes_are_shown_as_kib() -> None:
    assert tables.kib(1_048_576) == "1,024.0 KiB"


def test_a_count_is_short() -> None:
    assert [tables.short(count) for count in (384, 32_100, 6_222_809)] == ["384", "32.1k", "6.22M"]


def test_a_span_of_time_is_told_in_one_or_two_units() -> None:
    told = [tables.duration(seconds) for seconds in (0.4, 27, 192, 3900)]
    assert told == ["0.4 s", "27 s", "3 min 12 s", "1 h 05 min"]


@pytest.mark.parametrize(
    ("show", "value", "shown"),
    [
        (tables.milliseconds, 12.436, "12.44"),
        (tables.milliseconds, 0.219, "0.22"),
        (tables.milliseconds, 0.0042, "0.0042"),
        (tables.milliseconds, 8e-7, "0.00000080"),
        (tables.milliseconds, 0, "0.00"),
        (tables.kib, 512, "512 bytes"),
        (tables.kib, 1, "1 byte"),
        (tables.kib, 0, "0.0 KiB"),
        (tables.memory, 4096, "4 KiB"),
        (tables.memory, 151_552, "148 KiB"),
        (tables.memory, 5000, "4.9 KiB"),
        (tables.memory, 960, "960 bytes"),
        (tables.percent, 0.9825, "98.25 %"),
        (tables.percent, 1.0, "100.00 %"),
        (tables.percent, 0.99996, "99.996 %"),
        (tables.percent, 0.00001, "0.0010 %"),
        (tables.percent, 0.0, "0.00 %"),
        (tables.points, 0.0, "+0.00 points"),
        (tables.points, -0.001, "-0.001 points"),
        (tables.points, 100 * (0.9825 - 0.9825), "+0.00 points"),
        (tables.times, 1.04, "1.04x"),
        (tables.times, 1.8, "1.8x"),
        (tables.times, 27.9, "28x"),
        (tables.exact, 0.00236, "0.00236"),
        (tables.exact, 0.10004, "0.10004"),
        (tables.exact, 12.0, "12"),
        (tables.seconds, 0.004, "0.004 s"),
        (tables.duration, 0.004, "<0.1 s"),
    ],
)
def test_a_number_that_is_not_zero_is_never_shown_as_zero_nor_a_part_as_all(
    show: Callable[[float], str], value: float, shown: str
) -> None:
    assert show(value) == shown


@pytest.mark.parametrize("show", [tables.milliseconds, tables.kib, tables.memory, tables.percent, tables.points])
@pytest.mark.parametrize("exponent", range(-4, 7))
def test_whatever_its_size_a_number_shows_one_of_its_digits(show: Callable[[float], str], exponent: int) -> None:
    if show in (tables.kib, tables.memory) and exponent < 0:
        return  # there is no part of a byte
    shown = show(3 * 10.0**exponent)
    assert any(digit in shown for digit in "123456789"), shown


def test_a_change_is_told_however_small_it_is() -> None:
    assert tables.change(100_000, 100_001) == "+0.001 %"
    assert tables.change(200, 150) == "-25.0 %"


def test_what_is_not_known_is_a_dash() -> None:
    assert tables.or_dash(tables.kib, None) == "-"
    assert tables.or_dash(tables.kib, 0) == "0.0 KiB"


def test_text_of_a_foreign_file_is_one_line_without_control_codes() -> None:
    assert tables.printable("a\x1b[2J\nb\u202ec, \u00fc") == "a [2J b c, \u00fc"
