"""What a check counts, and which failure it keeps."""

from pipeline.emulator.proof.checks import Check, Tally


def test_all_is_counted_and_the_first_failure_kept() -> None:
    tally = Tally("weights are the same", "weights")
    assert tally.check == Check(name="weights are the same", unit="weights", checked=0, failed=0)

    tally.add(10)
    tally.add(5, 2, "at 0x12: 3 instead of 4")
    tally.add(5, 1, "at 0x34: 5 instead of 6")

    assert tally.check == Check(
        name="weights are the same", unit="weights", checked=20, failed=3, first="at 0x12: 3 instead of 4"
    )
