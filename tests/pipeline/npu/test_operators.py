"""Counting operators: in every graph of a file, old or new, and on either side of a compile."""

from pathlib import Path
from typing import Any

import pytest
from ai_edge_litert import schema_py_generated as schema

from pipeline.npu import operators
from tests.models import chain, packed, two_signatures, with_a_variable


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(model: Any, name: str = "model") -> Path:
        path = tmp_path / f"{name}.tflite"
        path.write_bytes(packed(model))
        return path

    return write


def test_operators_of_all_graphs_are_listed_with_kind_and_name(written: Any) -> None:
    found = operators.operators(written(two_signatures()))

    assert [(each.graph, each.graph_name, each.kind, each.name) for each in found] == [
        (0, "collect", "FULLY_CONNECTED", "gathered"),
        (0, "collect", "DEQUANTIZE", "real"),
        (0, "collect", "CUMSUM", "summed"),
        (0, "collect", "QUANTIZE", "stored"),
        (1, "decode", "FULLY_CONNECTED", "decoded"),
    ]


def test_an_operator_without_an_output_has_no_name(written: Any) -> None:
    found = operators.operators(written(with_a_variable()))
    assert [each.name for each in found if each.kind in {"CALL_ONCE", "ASSIGN_VARIABLE"}] == ["", "", ""]


def test_a_file_of_before_2020_has_the_kind_in_the_older_field_alone(written: Any) -> None:
    model = chain(1)
    model.operatorCodes[0].builtinCode = 0
    assert [each.kind for each in operators.operators(written(model))] == ["LOGISTIC"]


def test_a_kind_that_nobody_knows_goes_by_its_number(written: Any) -> None:
    model = chain(1)
    model.operatorCodes[0].builtinCode = 9999
    assert [each.title for each in operators.operators(written(model))] == ["operator 9999"]


def compiled(*kinds: tuple[str, str]) -> Any:
    """Return a model of these operators, one after the other: kind or custom name, and the output's name."""
    model = chain(len(kinds))
    model.operatorCodes = []
    for number, (kind, name) in enumerate(kinds):
        code: Any = schema.OperatorCodeT()
        builtin = vars(schema.BuiltinOperator).get(kind, schema.BuiltinOperator.CUSTOM)
        code.builtinCode = code.deprecatedBuiltinCode = builtin
        if builtin == schema.BuiltinOperator.CUSTOM:
            code.customCode = kind
        model.operatorCodes.append(code)
        model.subgraphs[0].operators[number].opcodeIndex = number
        model.subgraphs[0].tensors[number + 1].name = name
    return model


GIVEN = [("ADD", "a"), ("SIN", "b"), ("RESHAPE", "c"), ("SIN", "d")]


@pytest.mark.parametrize(
    ("left", "refused", "on_npu"),
    [
        ([("ethos-u", "d")], set(), 4),
        ([("ethos-u", "a"), ("SIN", "b"), ("ethos-u", "d")], {("SIN", "b")}, 3),
        # Refused, and yet not there any more: it is on neither side.
        ([("ethos-u", "a"), ("SIN", "b")], {("SIN", "b"), ("SIN", "d")}, 2),
        # An operator that was not in the model: what is missing says nothing of the rest.
        ([("ethos-u", "a"), ("QUANTIZE", "new")], set(), None),
        # Without a command stream, nothing is on the NPU, whatever is missing.
        ([("SIN", "b"), ("SIN", "d")], {("SIN", "b"), ("SIN", "d")}, 0),
    ],
    ids=["all on the NPU", "one refused", "one dropped", "a new one", "none on the NPU"],
)
def test_what_the_compiled_file_no_longer_holds_is_counted(
    written: Any, left: list[tuple[str, str]], refused: set[tuple[str, str]], on_npu: int | None
) -> None:
    found = operators.placement(written(compiled(*GIVEN), "given"), written(compiled(*left), "left"), refused)

    assert found.compiled == on_npu
    assert [operator.key for operator in found.on_cpu] == [each for each in left if each[0] != "ethos-u"]
    assert len(found.streams) == sum(kind == "ethos-u" for kind, _ in left)


def test_namesakes_of_which_one_was_refused_are_not_told_apart(written: Any) -> None:
    given = written(compiled(("SIN", "a"), ("SIN", "a"), ("ADD", "b")), "given")
    left = written(compiled(("SIN", "a"), ("ethos-u", "b")), "left")
    assert operators.placement(given, left, {("SIN", "a")}).compiled is None
