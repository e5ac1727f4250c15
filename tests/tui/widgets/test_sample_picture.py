"""Samples as pictures of half characters."""

from tui.data.changed_samples import ChangedSample
from tui.widgets import sample_picture


def sample(rows: int = 4, columns: int = 3, *, index: int = 7, label: int = 1) -> ChangedSample:
    return ChangedSample(index, label, in_float=label, rung="int8", in_integers=9, pixels=[[0.0] * columns] * rows)


def test_two_rows_of_pixels_share_a_line() -> None:
    (line,) = sample_picture.picture([[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 0.0, 1.0]], color=False)
    assert line.plain == " ▄▀█"


def test_a_last_odd_row_has_darkness_below_it() -> None:
    assert [line.plain for line in sample_picture.picture([[1.0]] * 3, color=False)] == ["█", "▀"]


def test_colours_are_the_brightness_of_both_halves() -> None:
    (line,) = sample_picture.picture([[1.0], [0.0]], color=True)
    assert line.plain == "▀"
    assert [str(span.style) for span in line.spans] == ["rgb(255,255,255) on rgb(0,0,0)"]


def test_brightness_beyond_the_scale_is_cut_to_it() -> None:
    (line,) = sample_picture.picture([[7.0], [-7.0]], color=True)
    assert [str(span.style) for span in line.spans] == ["rgb(255,255,255) on rgb(0,0,0)"]


def test_long_and_wide_samples_are_cut() -> None:
    assert len(sample_picture.picture([[1.0] * 3] * 500, color=False)) == sample_picture.MOST_ROWS // 2
    assert sample_picture.picture([[1.0] * 500] * 2, color=False)[0].cell_length == sample_picture.MOST_COLUMNS


def test_a_sample_of_nothing_is_an_empty_picture() -> None:
    assert sample_picture.picture([], color=True) == []
    assert [line.plain for line in sample_picture.picture([[]], color=True)] == [""]


def test_nothing_changed_shows_nothing() -> None:
    assert sample_picture.gallery([], 0, 80, color=True).plain == ""


def test_pictures_stand_beside_each_other_as_far_as_there_is_room() -> None:
    found = [sample(index=index) for index in range(4)]
    captions = {
        columns: _most_beside(sample_picture.gallery(found, 4, columns, color=False).plain) for columns in (10, 70, 200)
    }
    assert captions == {10: 1, 70: 2, 200: 4}


def _most_beside(drawn: str) -> int:
    return max(line.count("sample ") for line in drawn.splitlines())


def test_the_title_says_whether_these_are_all() -> None:
    assert "the first 1 of 1,200 samples" in sample_picture.gallery([sample()], 1200, 80, color=False).plain
    assert "the first" not in sample_picture.gallery([sample()], 1, 80, color=False).plain


def test_a_caption_says_what_it_is_and_what_it_was_taken_for() -> None:
    wrong = sample_picture.gallery([sample(index=1234)], 1, 80, color=False).plain
    assert "sample 1,234: it is 1" in wrong
    assert "float 1, int8 9: now wrong" in wrong
    assert "now right" in sample_picture.gallery([sample(label=9)], 1, 80, color=False).plain


def test_samples_of_unlike_height_stand_in_one_row() -> None:
    drawn = sample_picture.gallery([sample(rows=2), sample(rows=8)], 2, 200, color=False).plain
    assert _most_beside(drawn) == 2
