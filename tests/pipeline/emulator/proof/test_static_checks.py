"""Networks of every kind pass all checks on every accelerator; any change to what matters fails one."""

from dataclasses import replace

import numpy as np
import pytest
from ethosu import mlw_codec

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.proof import static_checks
from pipeline.emulator.proof.static_checks import Findings
from pipeline.emulator.stream import program
from pipeline.emulator.stream.commands import ONE_WORD, TWO_WORDS, Kind
from pipeline.emulator.stream.operations import Convolution, Stream
from tests.pipeline.emulator.compiled import Compile, Compiled
from tests.pipeline.networks import Network, made

TARGETS = [
    ("ethos-u55-32", "Sram_Only"),
    ("ethos-u55-128", "Shared_Sram"),
    ("ethos-u55-256", "Sram_Only"),
    ("ethos-u65-256", "Dedicated_Sram"),
    ("ethos-u65-512", "Shared_Sram"),
    ("ethos-u85-128", "Sram_Only"),
    ("ethos-u85-1024", "Dedicated_Sram"),
]


def failures(found: Findings) -> list[str]:
    return [check.first or check.name for check in found.checks if check.failed]


KINDS = [("gru", *target) for target in TARGETS] + [("lstm", *TARGETS[3]), ("simple_rnn", *TARGETS[0])]


@pytest.mark.parametrize(("cell", "accelerator", "memory_mode"), KINDS)
def test_what_vela_compiles_passes(compile_network: Compile, cell: str, accelerator: str, memory_mode: str) -> None:
    compiled = compile_network(made(cell), 3, accelerator, memory_mode)

    found = compiled.check()

    assert not failures(found)
    assert all(check.checked for check in found.checks)
    assert found.by_samples == ("SOFTMAX output",)
    assert not found.warnings
    assert not found.not_verified
    pairs = next(check for check in found.checks if check.unit == "input pairs")
    kinds = [operator.kind for operator in compiled.model.operators]
    assert pairs.checked >= 65536 * (kinds.count("ADD") + kinds.count("MUL"))


@pytest.mark.parametrize(("cell", "layers"), [("gru", 2), ("lstm", 1), ("simple_rnn", 1)])
def test_networks_with_state_pass(compile_network: Compile, cell: str, layers: int) -> None:
    found = compile_network(made(cell, layers), 2, state=True).check()

    assert not failures(found)


@pytest.mark.parametrize("accelerator", ["ethos-u55-128", "ethos-u65-512", "ethos-u85-256"])
def test_two_layers_over_more_steps_than_a_concatenation_takes_pass(compile_network: Compile, accelerator: str) -> None:
    found = compile_network(made("simple_rnn", 2), 12, accelerator).check()

    assert not failures(found)
    assert not found.not_verified


SIZES = [(Network("gru", 1, features=3, units=5), 1), (Network("lstm", 2, features=9, units=13), 4)]


@pytest.mark.parametrize(("network", "steps"), SIZES)
def test_odd_sizes_pass(compile_network: Compile, network: Network, steps: int) -> None:
    found = compile_network(network, steps, "ethos-u55-64", "Shared_Sram").check()

    assert not failures(found)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10))
def test_random_networks_pass_on_every_accelerator(compile_network: Compile, seed: int) -> None:
    random = np.random.default_rng(seed)
    cell = ("gru", "lstm", "simple_rnn")[seed % 3]
    network = Network(cell, seed, features=int(random.integers(1, 20)), units=int(random.integers(4, 41)))
    steps, state = int(random.integers(1, 9)), bool(random.integers(2))
    for target in TARGETS:
        assert not failures(compile_network(network, steps, *target, state=state).check())


class Mutant:
    """A compiled model of which bytes can be changed."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.words = compiled.program.words.copy()
        self.constants = bytearray(compiled.program.constants)

    def caught(self) -> str | None:
        """Return what the checks say of it; None where they pass."""
        program = replace(self.compiled.program, words=self.words, constants=bytes(self.constants))
        try:
            found = static_checks.check(Machine(program), self.compiled.model, self.compiled.origins)
        except (StreamError, NotVerifiedError) as error:
            return str(error)
        return next(iter(failures(found)), None)


@pytest.fixture(scope="module")
def gru(compile_network: Compile) -> Compiled:
    return compile_network(made("gru"), 2)


@pytest.fixture
def mutant(gru: Compiled) -> Mutant:
    return Mutant(gru)


def flip(content: bytearray, byte: int, bit: int = 0) -> None:
    content[byte] ^= 1 << bit


def convolutions(compiled: Compiled) -> list[Convolution]:
    operations = [planned.operation for planned in compiled.machine.planned]
    return [operation for operation in operations if isinstance(operation, Convolution)]


def test_a_weight_bit_is_noticed(gru: Compiled) -> None:
    random = np.random.default_rng(0)
    for convolution in convolutions(gru):
        (stream,) = convolution.weights
        for bit in random.integers(0, 8 * stream.length, 4):
            mutant = Mutant(gru)
            flip(mutant.constants, stream.address + int(bit) // 8, int(bit) % 8)
            assert mutant.caught() or decoded(mutant.constants, stream) == decoded(gru.program.constants, stream)


def decoded(constants: bytes | bytearray, stream: Stream) -> list[int]:
    """Return what Arm's own decoder makes of a stream: some bits of it stand for nothing."""
    found: list[int] = mlw_codec.decode(bytearray(constants[stream.address : stream.address + stream.length]))
    return found


@pytest.mark.parametrize(
    ("byte", "part"), [(0, "biases"), (3, "biases"), (5, "multipliers"), (8, "multipliers"), (9, "shifts")]
)
def test_a_bit_of_a_scale_is_noticed(gru: Compiled, byte: int, part: str) -> None:
    for convolution in convolutions(gru):
        mutant = Mutant(gru)
        flip(mutant.constants, convolution.scales[0].address + 10 * (convolution.ofm.depth - 1) + byte)
        assert f"{part} differ in 1 of" in (mutant.caught() or "")


def test_a_bit_of_a_table_is_noticed(gru: Compiled) -> None:
    transfers = [planned for planned in gru.machine.planned if planned.command.kind is Kind.DMA_START]
    for transfer in transfers[:-1]:  # the last is softmax's
        mutant = Mutant(gru)
        flip(mutant.constants, transfer.reads[0].start + 77)
        assert "instead of" in (mutant.caught() or "")


def settings(compiled: Compiled, *names: str) -> list[int]:
    """Return the places of the words that set these registers, before softmax begins."""
    family, place, found = compiled.program.npu.family, 0, []
    kinds = {offset: compiled.model.operators[origin.operators[0]].kind for offset, origin in compiled.origins.items()}
    last = max(offset for offset, kind in kinds.items() if kind != "SOFTMAX")
    while 4 * place < last:
        word = int(compiled.program.words[place])
        two = word >> 14 & 3
        if (TWO_WORDS if two else ONE_WORD)[family][word & 0x3FF] in names:
            found.append(place + two)
        place += 1 + two
    return found


@pytest.mark.parametrize(
    ("name", "bit"),
    [
        ("IFM_ZERO_POINT", 16),
        ("IFM2_ZERO_POINT", 16),
        ("OFM_ZERO_POINT", 16),
        ("IFM_BASE0", 0),
        ("IFM2_BASE0", 4),
        ("OFM_BASE0", 4),
        ("OFM_SCALE", 24),
        ("OPA_SCALE", 24),
        ("IFM_PRECISION", 18),
        ("ACTIVATION_MIN", 17),
        ("SCALE_BASE", 4),
        ("WEIGHT_BASE", 4),
        ("DMA0_SRC", 8),
        ("ACTIVATION", 16),
        ("IFM_REGION", 16),
    ],
)
def test_a_bit_of_a_register_is_noticed(gru: Compiled, name: str, bit: int) -> None:
    places = settings(gru, name)
    assert places
    for place in places:
        mutant = Mutant(gru)
        mutant.words[place] ^= 1 << bit
        assert mutant.caught(), f"word {place}"


def test_a_dropped_wait_is_noticed(compile_network: Compile) -> None:
    for cell, target in (("gru", TARGETS[1]), ("lstm", TARGETS[3])):
        compiled = compile_network(made(cell), 3, *target)
        waits = [planned for planned in compiled.machine.planned if planned.command.kind is Kind.DMA_WAIT]
        assert waits
        for wait in waits:
            mutant = Mutant(compiled)
            mutant.words[wait.command.offset // 4] |= 15 << 16  # now 15 transfers may be at work
            assert "was not waited for" in (mutant.caught() or "")


def test_swapped_inputs_of_one_layer_are_noticed(mutant: Mutant) -> None:
    """SUB of the right numbers in the wrong order: the addresses alone tell."""
    subtraction = next(
        planned
        for planned in mutant.compiled.machine.planned
        if mutant.compiled.origins.get(planned.command.offset) is not None
        and mutant.compiled.origins[planned.command.offset].operation == "Sub"
    )
    registers = subtraction.command.registers
    a, b = registers["IFM_BASE0"], registers["IFM2_BASE0"]
    places = settings(mutant.compiled, "IFM_BASE0", "IFM2_BASE0")
    before = [place for place in places if 4 * place < subtraction.command.offset]
    for place in before[-2:]:
        mutant.words[place] = {a: b, b: a}.get(int(mutant.words[place]), mutant.words[place])
    assert mutant.caught()


def test_a_file_of_another_model_is_noticed(compile_network: Compile, gru: Compiled) -> None:
    other = compile_network(made("lstm"), 2)
    found = static_checks.check(gru.machine, other.model, other.origins)
    assert failures(found)
    with pytest.raises(StreamError, match="not of the same model"):
        static_checks.check(gru.machine, compile_network(made("gru"), 3).model, gru.origins)


def test_a_wrong_mapping_never_passes(gru: Compiled) -> None:
    shifted = dict(zip(sorted(gru.origins), [*map(gru.origins.get, sorted(gru.origins)[1:]), None], strict=True))
    origins = {offset: origin for offset, origin in shifted.items() if origin is not None}
    found = static_checks.check(gru.machine, gru.model, origins)
    assert failures(found)


def test_container_is_what_is_read_back(gru: Compiled) -> None:
    assert np.array_equal(program.load(gru.path).words, gru.program.words)
