"""Each kind of number: in full, under a heading, in a narrow column, to the last digit, and compared."""

import pytest

from pipeline.text.quantities import COUNT, CYCLES, MILLISECONDS, NUMBER, POINTS, SHARE, SIZE, Quantity


@pytest.mark.parametrize(
    ("quantity", "value", "shown"),
    [
        (SHARE, 0.9824, ("98.24 %", "98.24 %", "98.24 %", "98.24 %")),
        (POINTS, 0.5, ("0.50 points", "0.50 points", "0.50 points", "0.50 points")),
        (COUNT, 6_218_057, ("6,218,057", "6,218,057", "6.22M", "6,218,057")),
        (CYCLES, 384, ("384", "384", "384", "384")),
        (MILLISECONDS, 12.4361, ("12.44 ms", "12.44", "12.44", "12.4361")),
        (SIZE, 674_112, ("658.3 KiB", "658.3 KiB", "658.3 KiB", "674,112")),
        (SIZE, 40_000_000, ("38.1 MiB", "38.1 MiB", "38.1 MiB", "40,000,000")),
        (NUMBER, 0.3125, ("0.3125", "0.3125", "0.3125", "0.3125")),
    ],
)
def test_a_number_is_shown_as_there_is_room(quantity: Quantity, value: float, shown: tuple[str, ...]) -> None:
    forms = (quantity.show, quantity.cell, quantity.brief, quantity.exact)
    assert tuple(form(value) for form in forms) == shown


@pytest.mark.parametrize("quantity", [COUNT, CYCLES, MILLISECONDS, SIZE, SHARE])
def test_what_fits_into_a_column_has_room_in_it(quantity: Quantity) -> None:
    usual = 0.98245 if quantity is SHARE else 9_999.99 if quantity is MILLISECONDS else 99_999_999
    assert len(quantity.brief(usual)) <= quantity.narrow + 1
    assert len(quantity.cell(usual)) <= quantity.width + 1


def test_shares_are_compared_in_points_and_other_numbers_in_percent() -> None:
    assert SHARE.difference(0.98, 0.975) == "-0.50 points"
    assert CYCLES.difference(1000, 1025) == "+2.5 %"
    assert SIZE.difference(2048, 1024) == "-50.0 %"
