import pytest

from pipeline.data.steps import StepsError, parts


@pytest.mark.parametrize(("size", "number"), [(1, 28), (4, 7), (28, 1)])
def test_parts_of_a_size_that_divides_are_counted(size: int, number: int) -> None:
    assert parts("model.rows_per_step", size, 28, "rows of the data set") == number


@pytest.mark.parametrize("size", [3, 27, 29, 56])
def test_a_size_that_does_not_divide_is_an_error_that_lists_those_that_do(size: int) -> None:
    with pytest.raises(StepsError) as caught:
        parts("model.rows_per_step", size, 28, "rows of the data set")

    assert str(caught.value) == (
        f"model.rows_per_step = {size} does not divide the 28 rows of the data set; possible: 1, 2, 4, 7, 14, 28"
    )
