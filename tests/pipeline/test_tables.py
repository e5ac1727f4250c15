from pipeline import tables


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
