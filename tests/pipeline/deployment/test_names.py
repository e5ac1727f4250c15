"""A tensor's name says layer, role and time step, and can be read back."""

import subprocess
import sys

import pytest

from pipeline.deployment import names
from pipeline.deployment.names import Name
from tests.conftest import ROOT

NAMES = {
    "gru_1/recurrent_product_3": Name("gru_1", "recurrent_product", 3),
    "simple_rnn_12/hidden_0": Name("simple_rnn_12", "hidden", 0),
    "lstm_2/cell_tanh_28": Name("lstm_2", "cell_tanh", 28),
    "gru_1/input_product": Name("gru_1", "input_product", None),
    "dense_1/relu": Name("dense_1", "relu", None),
    "input": Name(None, "input", None),
    "input_rows": Name(None, "input_rows", None),
    "logits": Name(None, "logits", None),
    "output": Name(None, "output", None),
}


@pytest.mark.parametrize(("text", "name"), NAMES.items(), ids=NAMES)
def test_a_name_is_written_and_read_back(text: str, name: Name) -> None:
    assert str(name) == text
    assert names.parse(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gru_1/",
        "/hidden_1",
        "gru/hidden_1",
        "gru_1/hidden_1/kernel",
        "gru_1/hidden_1_quantized",
        "network_1/gru_1/gru_cell_1/MatMul;network_1/gru_1/gru_cell_1/BiasAdd",
        "StatefulPartitionedCall_1:0",
        "gru_1/Hidden_1",
        "gru_1/hidden_-1",
        "gru_1/hidden_1 ",
        "gru_1/hidden_1\n",
        "slice/begin_0_0",
    ],
)
def test_what_is_not_one_of_ours_is_nothing(text: str) -> None:
    assert names.parse(text) is None


def test_tensors_of_one_role_are_tied_over_the_steps_but_not_over_layers_or_roles() -> None:
    ties = {names.parse(text).tie for text in ("gru_1/gates_1", "gru_1/gates_2", "gru_1/gates")}  # type: ignore[union-attr]

    assert ties == {"gru_1/gates"}
    assert Name("gru_2", "gates", 1).tie == "gru_2/gates"
    assert Name("gru_1", "hidden", 1).tie == "gru_1/hidden"
    assert Name(None, "input", None).tie == "input"


def test_the_dashboard_can_read_names_without_anything_heavy() -> None:
    check = "import sys, pipeline.deployment.names; print({'numpy', 'tensorflow', 'ai_edge_litert'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", check], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
