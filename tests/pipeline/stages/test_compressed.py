"""Compressing: what was asked for is in the compiled file, for every cell; and what is said when it can't be."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ethosu import mlw_codec
from ethosu.vela.tflite.Model import Model

from pipeline import array_file
from pipeline.compression import codes
from pipeline.compression.fine_tune import CompressError
from pipeline.network import files
from pipeline.quantization.errors import QuantizationError
from pipeline.stage import Found, Work
from tests.pipeline.making import make_stage

Chain = Callable[..., tuple[Mapping[str, Path], Mapping[str, Found]]]
Settings = Callable[..., Mapping[str, Any]]
MakeWork = Callable[..., Work[Any]]

BOTH: Mapping[str, Any] = {"clusters": 8, "sparsity": 0.5, "matrices": ["recurrent", "input", "dense"]}
DENSE: Mapping[str, Any] = {"dense": [12], "state": True}
PAYLOAD, WEIGHT_BASE, WEIGHT_LENGTH, CONVOLUTION = 0x4000, 0x20, 0x21, 0x02
"""Of the Ethos-U's command stream."""


def compiled_weights(file: Path) -> Counter[int]:
    """Count the weights other than 0 that the NPU decodes, those of every weight stream once."""
    model = Model.GetRootAsModel(file.read_bytes(), 0)
    graph = model.Subgraphs(0)
    operator = next(graph.Operators(n) for n in range(graph.OperatorsLength()) if graph.Operators(n).InputsLength() > 3)
    stream, constants = (model.Buffers(graph.Tensors(operator.Inputs(n)).Buffer()).DataAsNumpy() for n in (0, 1))
    return Counter(
        weight
        for first, size in set(_weight_streams(stream.view("<u4").tolist()))
        for weight in mlw_codec.decode(bytearray(constants[first : first + size]))
        if weight
    )


def _weight_streams(words: list[int]) -> Iterator[tuple[int, int]]:
    """Return place and size of the weights of each convolution; a register that keeps its value is not set again."""
    registers: dict[int, int] = {}
    stream = iter(words)
    for word in stream:
        if word & 0xC000 == PAYLOAD:
            registers[word & 0x3FF] = next(stream)
        elif word & 0xC3FF == CONVOLUTION and registers.get(WEIGHT_LENGTH):
            yield registers[WEIGHT_BASE], registers[WEIGHT_LENGTH]


def trained_codes(folder: Path) -> dict[str, codes.Codes]:
    with np.load(folder / codes.FILE) as found:
        return dict(found)


def counted(matrices: Mapping[str, codes.Codes]) -> Counter[int]:
    return Counter(code for matrix in matrices.values() for code in matrix.ravel().tolist() if code)


@pytest.mark.parametrize(
    ("cell", "chosen"),
    [
        ("gru", DENSE),
        pytest.param("gru", {**DENSE, "layers": 2}, marks=pytest.mark.slow),
        pytest.param("gru", {"reset_after": False, "activations": "int16"}, marks=pytest.mark.slow),
        pytest.param("lstm", {}, marks=pytest.mark.slow),
        pytest.param("simple_rnn", {"activations": "int16", "state": True}, marks=pytest.mark.slow),
    ],
    ids=["gru", "gru, two layers", "gru, reset before", "lstm", "simple_rnn"],
)
def test_the_compiled_file_decodes_to_exactly_the_values_and_zeros_that_were_trained(
    chain: Chain, cell: str, chosen: dict[str, Any]
) -> None:
    made, found = chain(cell, compress=BOTH, units=16, **chosen)

    matrices = trained_codes(made["compressed"])
    kinds = [name.partition("/")[2] for name in matrices]
    assert set(kinds) == {"recurrent", "input", "dense"}
    for name, matrix in matrices.items():
        assert 6 <= np.unique(matrix).size <= 8, name  # of a small matrix, a value may find no weight
        assert (matrix == 0).sum() == round(0.5 * matrix.size), name
        described = found["compressed"].metrics["matrices"][name]
        assert described == {"values": np.unique(matrix).size, "zeros": float((matrix == 0).mean())}
    assert compiled_weights(made["vela"] / "compiled.tflite") == counted(matrices)


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_the_guides_graph_holds_the_trained_values_too(chain: Chain, cell: str) -> None:
    made, _ = chain(cell, compress={"clusters": 4}, graph="keras", units=16, until="quantized")

    (matrix,) = trained_codes(made["compressed"]).values()  # that it is in the file, the quantized stage has proved
    assert np.unique(matrix).size == 4


@pytest.mark.slow
def test_pruning_alone_leaves_the_rest_as_the_quantizer_finds_it(chain: Chain) -> None:
    made, found = chain("gru", compress={"sparsity": 0.75}, units=16)

    ((name, matrix),) = trained_codes(made["compressed"]).items()
    assert name == "gru_1/recurrent"
    assert np.unique(matrix).size > 32
    assert 0.75 <= (matrix == 0).mean() < 0.8
    dense, _ = chain("gru", units=16)
    sizes = [chained["vela"] / "compiled.tflite" for chained in (made, dense)]
    assert sizes[0].stat().st_size < sizes[1].stat().st_size
    assert found["compressed"].basis["scores"] == "measured"


@pytest.fixture
def compress(work: MakeWork, chain: Chain, settings: Settings) -> Callable[..., tuple[Path, Found]]:
    """Run the stage alone on a GRU-4 with these settings."""

    def run(into: str = "into", report: Callable[..., None] = lambda **_: None, **chosen: Any) -> tuple[Path, Found]:
        made, _ = chain("gru", until="network")
        sections = settings("gru", compress=chosen)
        config = {name: sections[name] for name in ("training", "compress")}
        job = work(config, {"dataset": made["dataset"], "network": made["network"]}, into, report)
        return job.into, make_stage("compressed", job)

    return run


def test_the_same_seed_gives_the_same_weights_and_progress_tells_what_is_done(
    compress: Callable[..., tuple[Path, Found]],
) -> None:
    reports: list[dict[str, Any]] = []
    folder, found = compress(clusters=4, sparsity=0.5, report=lambda **facts: reports.append(facts))
    again, _ = compress("again", clusters=4, sparsity=0.5)

    for name in (files.DESCRIPTION, files.ARRAYS, codes.FILE):
        assert (folder / name).read_bytes() == (again / name).read_bytes()
    last = reports[-1]
    assert (last["done"], last["total"], last["epoch"], last["step"]) == (6, 6, "1/1", "6/6")
    assert last["loss"] == pytest.approx(found.metrics["training_loss"], abs=1e-6)


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"sparsity": 0.9}, "compress.sparsity = 0.9 leaves 5 weights of gru_1/recurrent for its 12 output channels"),
        ({"sparsity": 0.7, "clusters": 32}, "compress.clusters = 32, but gru_1/recurrent has only 15 values"),
        (
            {"clusters": 16, "matrices": ["dense"]},
            "compress.clusters = 16, but logits_1/dense has only 12 values that could differ",
        ),
        ({"clusters": 4, "learning_rate": 10.0}, ""),
    ],
    ids=str,
)
def test_what_can_not_be_compressed_is_said_with_the_remedy(
    compress: Callable[..., tuple[Path, Found]], chosen: dict[str, Any], words: str
) -> None:
    if not words:  # as bad a learning rate as the schema allows still ends in numbers
        assert np.isfinite(compress(**chosen)[1].metrics["training_loss"])
        return
    with pytest.raises(CompressError, match=words.replace(".", r"\.")):
        compress(**chosen)


def test_a_quantized_model_with_other_codes_is_refused(chain: Chain, work: MakeWork, settings: Settings) -> None:
    made, _ = chain("gru", compress=BOTH, units=16, until="unrolled", **DENSE)
    sections = settings("gru", **DENSE)
    job = work({name: sections[name] for name in ("deployment", "quantization")}, dict(made))
    elsewhere = job.into.parent / "elsewhere"
    elsewhere.mkdir()
    others = {name: matrix.copy() for name, matrix in trained_codes(made["compressed"]).items()}
    others["gru_1/recurrent"][0, :2] += 1
    array_file.save(elsewhere / codes.FILE, others)

    with pytest.raises(QuantizationError, match="2 of 48 output channels of gru_1/recurrent hold other values"):
        make_stage("quantized", replace(job, inputs={**made, "network": elsewhere}))
