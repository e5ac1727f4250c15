"""Which of Vela's reasons is an operator's: only one that can be no other's."""

from collections import Counter

from pipeline.npu.refusals import NO_REASON, reason

SIN, QUANTIZE, ASSIGN = ("SIN", "a"), ("QUANTIZE", "a"), ("ASSIGN_VARIABLE", "")
REFUSALS = {
    SIN: {"Unsupported opType"},
    QUANTIZE: {"unsupported DataType"},
    ("ASSIGN_VARIABLE", "placeholder-for-1-OFM"): {"Unsupported opType"},
    ("ASSIGN_VARIABLE", "placeholder-for-9-OFM"): {"Unsupported opType"},
}


def test_operators_of_one_name_go_by_their_kind() -> None:
    on_cpu = Counter([SIN, QUANTIZE])
    assert reason(SIN, on_cpu, REFUSALS) == "Unsupported opType"
    assert reason(QUANTIZE, on_cpu, REFUSALS) == "unsupported DataType"


def test_of_namesakes_and_of_several_reasons_none_is_chosen() -> None:
    assert reason(SIN, Counter([SIN, SIN]), REFUSALS) == NO_REASON
    assert reason(SIN, Counter([SIN]), {SIN: {"one", "another"}}) == NO_REASON
    assert reason(SIN, Counter([SIN]), {}) == NO_REASON


def test_without_a_name_it_is_what_vela_says_of_all_of_the_kind() -> None:
    assert reason(ASSIGN, Counter([ASSIGN, ASSIGN]), REFUSALS) == "Unsupported opType"
    several = {**REFUSALS, ("ASSIGN_VARIABLE", "placeholder-for-2-OFM"): {"another"}}
    assert reason(ASSIGN, Counter([ASSIGN]), several) == NO_REASON
