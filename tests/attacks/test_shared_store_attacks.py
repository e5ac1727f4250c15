"""Bad entries of a shared store: none is believed, each is told of in one line, and replaced by what is made here."""

import random
from pathlib import Path

import pytest

from pipeline.engine.results.record import read_record
from tests.attacks.bad_entries import SIGNED, UNSIGNED, Damage, flip_a_bit
from tests.machines import Enter, Machine, build, entries, shown

STAGES = ("dataset", "network", "unrolled", "quantized", "accuracy", "vela", "verify")


def _expect_it_made_and_replaced(machine: Enter, first: Machine) -> None:
    """Build on a second machine, which must not believe the entry, and a third, which must find a good one."""
    second = machine("second")
    made = build(second, "dataset")
    assert second.ran == ["dataset"], "the bad entry was believed"
    assert len(second.warnings) == 1, second.warnings
    assert second.warnings[0].startswith("a shared result is refused, ")
    assert second.warnings[0].isprintable()
    assert made.state(second.jobs["dataset"]).fresh
    assert shown(second, "dataset") == shown(first, "dataset")
    assert read_record(second.jobs["dataset"].link).metrics == {"accuracy": 0.5}
    third = machine("third")
    build(third, "dataset")
    assert (third.ran, third.warnings) == ([], []), "the second machine's result did not take the place of the bad one"
    assert shown(third, "dataset") == shown(first, "dataset")


@pytest.mark.parametrize("damage", UNSIGNED.values(), ids=UNSIGNED)
def test_a_bad_entry_is_refused_and_replaced(machine: Enter, shared: Path, damage: Damage) -> None:
    first = machine("first")
    build(first, "dataset")
    (entry,) = entries(shared)
    damage(entry)
    _expect_it_made_and_replaced(machine, first)
    assert len(entries(shared)) == 1, "the bad entry is still there"
    assert not list(shared.glob(".gone.*")), "the bad entry still takes room"


@pytest.mark.parametrize("damage", SIGNED.values(), ids=SIGNED)
def test_what_only_a_key_can_find_is_refused_with_one(
    machine: Enter, shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Damage
) -> None:
    (tmp_path / "team.key").write_text("a secret of the team's\n", encoding="utf-8")
    monkeypatch.setenv("UNROLL_CACHE_KEY", str(tmp_path / "team.key"))
    first = machine("first")
    build(first, "dataset")
    (entry,) = entries(shared)
    damage(entry)
    _expect_it_made_and_replaced(machine, first)


def test_a_bit_flipped_in_each_file_of_a_store_is_found(machine: Enter, shared: Path) -> None:
    first = machine("first")
    build(first, *STAGES)
    chosen = random.Random(13)  # noqa: S311 - a choice, no secret
    for which in range(3):
        for entry in entries(shared):
            path = sorted(path for path in entry.rglob("*") if path.is_file())[which]
            flip_a_bit(path, chosen.randrange(8 * path.stat().st_size))
        second = machine(f"second-{which}")
        build(second, *STAGES)
        assert second.ran == list(STAGES), "a damaged entry was believed"
        assert len(second.warnings) == len(STAGES)
        third = machine(f"third-{which}")
        build(third, *STAGES)
        assert (third.ran, third.warnings) == ([], [])
        for stage in STAGES:
            assert shown(second, stage) == shown(third, stage) == shown(first, stage)
