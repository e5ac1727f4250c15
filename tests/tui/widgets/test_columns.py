"""Which columns have room."""

from tui.widgets.columns import LEAST_STRETCHED, Column, fitting

TABLE = (Column("name", 4), Column("time", 6, goes=2), Column("age", 8, goes=1), Column("size", 4))


def test_columns_go_one_after_the_other_as_room_goes() -> None:
    fits = {
        28: "name time age size",
        27: "name time size",
        18: "name time size",
        17: "name size",
        7: "name size",
        -1: "name size",
    }
    for room, left in fits.items():
        assert list(fitting(TABLE, room)) == left.split()


def test_a_column_that_stretches_takes_what_the_others_leave() -> None:
    columns = (Column("name", 20, stretches=True), Column("size", 4), Column("age", 6, goes=1))
    assert fitting(columns, 50) == {"name": 36, "size": 4, "age": 6}
    assert fitting(columns, 34) == {"name": 20, "size": 4, "age": 6}
    assert fitting(columns, 33) == {"name": 27, "size": 4}, "a column goes before this one becomes too narrow"
    assert fitting(columns, 20) == {"name": 14, "size": 4}
    assert fitting(columns, 9) == {"name": LEAST_STRETCHED, "size": 4}


def test_cells_may_stand_without_a_gap() -> None:
    assert list(fitting(TABLE, 22, gap=0)) == ["name", "time", "age", "size"]
    assert list(fitting(TABLE, 21, gap=0)) == ["name", "time", "size"]
