"""Plots: round numbers, every point in its place, and a picture that needs nothing else."""

import re
from xml.etree import ElementTree as ET

import pytest

from pipeline.views.pareto import picture
from pipeline.views.pareto.picture import Dot, Panel

DOTS = [
    Dot("A", 80_000, 97.5, best=True, told="4 rows, 64 units: 97.50 %"),
    Dot("B", 300_000, 97.1, best=False, told="2 rows, 64 units: 97.10 %"),
    Dot("C", 6_000_000, 98.7, best=True, told="<1> row & more: 98.70 %"),
]
PANEL = Panel("int8 accuracy (%) by cycles", DOTS, lambda cost: f"{cost:g}")
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("values", "ticks", "logarithmic"),
    [
        ([97.0, 98.7], [97, 97.5, 98, 98.5], False),
        ([80_000, 6_000_000], [100_000, 200_000, 500_000, 1_000_000, 2_000_000, 5_000_000], True),
        ([10, 12], [10, 10.5, 11, 11.5, 12], False),
        ([0, 5], [0, 1, 2, 3, 4, 5], False),
    ],
)
def test_a_scale_has_round_numbers_within_its_range(
    values: list[float],
    ticks: list[float],
    logarithmic: bool,  # noqa: FBT001
) -> None:
    found = picture.scale(values)

    assert found.ticks == pytest.approx(ticks)
    assert found.logarithmic is logarithmic
    assert 0 < found.place(min(values)) < found.place(max(values)) < 1


@pytest.mark.parametrize("value", [0.0, 98.19, 5e6])
def test_a_single_value_stands_in_the_middle(value: float) -> None:
    assert picture.scale([value]).place(value) == pytest.approx(0.5)


@pytest.mark.parametrize("high", [4.0, 40.0, 1e4, 1e9])
def test_there_are_neither_none_nor_many_ticks(high: float) -> None:
    assert 1 <= len(picture.scale([1.0, high]).ticks) <= picture.MOST_TICKS
    assert 2 <= len(picture.scale([1e6, 1e6 + high]).ticks) <= picture.MOST_TICKS + 1


def test_a_plot_in_the_console_shows_every_point_and_fits(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = picture.as_text(PANEL)

    assert all(len(line) <= 80 and "\x1b" not in line for line in drawn)
    inside = [line[3:] for line in drawn if "┤" in line or "│" in line]
    heights = [next(row for row, line in enumerate(inside) if letter in line) for letter in "CAB"]
    assert heights == sorted(heights), "the most accurate one is on top"
    assert [line.index("A") for line in inside if "A" in line] < [line.index("C") for line in inside if "C" in line]
    assert "•" in "".join(inside)
    assert picture.as_text(PANEL) == drawn, "nothing of an earlier plot is left"
    assert capsys.readouterr().out == ""


def test_a_point_alone_can_be_plotted() -> None:
    assert any("A" in line[3:] for line in picture.as_text(Panel("x", DOTS[:1], PANEL.show))[1:])


def test_the_picture_holds_every_point_with_its_numbers_and_asks_no_network() -> None:
    text = picture.as_svg("mine & yours", [PANEL, PANEL, PANEL])

    root = ET.fromstring(text)  # noqa: S314 - written by ourselves
    assert root.findtext(f"{SVG}title") == "mine & yours"
    circles = [circle.get("class") for circle in root.iter(f"{SVG}circle")]
    assert circles == 3 * ["best", "dot", "best"]
    assert [title.text for title in root.iter(f"{SVG}title")][1:4] == [dot.told for dot in DOTS]
    assert text.count("&lt;1&gt; row &amp; more") == 4, "at three points, and below the plots"
    assert re.findall(r"https?://[^\" ]+", text) == ["http://www.w3.org/2000/svg"]
    for line in root.iter(f"{SVG}polyline"):
        assert len(str(line.get("points")).split()) == 2
