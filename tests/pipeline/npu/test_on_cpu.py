"""How an operator on the CPU is told."""

from pipeline.npu import on_cpu

ROW = {"operator": "CUMSUM", "name": "summed", "graph": None, "reason": "Unsupported opType"}


def test_an_operator_is_told_with_its_name_and_the_reason() -> None:
    assert on_cpu.line(ROW) == "CUMSUM summed: Unsupported opType"


def test_graph_and_time_step_are_told_where_there_are_any() -> None:
    assert on_cpu.line({**ROW, "graph": "collect"}) == "CUMSUM summed (graph collect): Unsupported opType"
    assert on_cpu.line({**ROW, "graph": "a"}, 3) == "CUMSUM summed (graph a, time step 3): Unsupported opType"


def test_an_operator_without_an_output_has_no_name() -> None:
    assert on_cpu.line({**ROW, "operator": "CALL_ONCE", "name": ""}) == "CALL_ONCE: Unsupported opType"


def test_a_name_can_not_add_lines_or_codes() -> None:
    assert on_cpu.line({**ROW, "name": "a\nb\x1b[31m"}) == "CUMSUM a b [31m: Unsupported opType"
