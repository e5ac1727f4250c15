"""Damaged files and streams end in a sentence: none hangs, crashes or takes memory without end."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pipeline.emulator.errors import NotVerifiedError, StreamError
from pipeline.emulator.machine import listing
from pipeline.emulator.machine.machine import Machine
from pipeline.emulator.stream.commands import ONE_WORD, Kind
from pipeline.emulator.stream.program import Program, load
from tests.pipeline.emulator.compiled import Compile
from tests.pipeline.networks import made

Words = npt.NDArray[np.uint32]


@pytest.fixture(scope="module", params=["ethos-u55-64", "ethos-u85-256"])
def program(compile_network: Compile, request: pytest.FixtureRequest) -> Program:
    return compile_network(made("simple_rnn"), 2, request.param).program


@pytest.fixture(scope="module")
def whole(compile_network: Compile) -> bytes:
    return compile_network(made("simple_rnn"), 2, "ethos-u55-64").path.read_bytes()


def sentence(work: Callable[[], Any]) -> str:
    """Return what damage is called; empty where it is harmless."""
    try:
        work()
    except (StreamError, NotVerifiedError) as error:
        assert str(error)  # noqa: PT017 - some damage is harmless
        return str(error)
    return ""


def read(program: Program) -> None:
    Machine(program)
    list(listing.lines(program, {}))


def test_flipped_bits_of_a_stream(program: Program) -> None:
    random = np.random.default_rng(1)
    said = set()
    for _ in range(60):
        words = program.words.copy()
        for place in random.integers(0, len(words), 2):
            words[place] ^= np.uint32(1 << int(random.integers(32)))
        said.add(sentence(partial(read, replace(program, words=words))))
    assert len(said) > 10


def test_random_words_in_a_stream(program: Program) -> None:
    random = np.random.default_rng(2)
    for count in (1, 2, 5, 50):
        for _ in range(10):
            words = program.words.copy()
            place = int(random.integers(len(words) - 60))
            words[place : place + count] = random.integers(0, 1 << 32, count, dtype=np.uint32)
            sentence(partial(read, replace(program, words=words)))
        noise = random.integers(0, 1 << 32, count, dtype=np.uint32)
        assert sentence(partial(read, replace(program, words=noise)))


def test_flipped_bits_of_constants(program: Program) -> None:
    random = np.random.default_rng(3)
    for _ in range(30):
        constants = bytearray(program.constants)
        constants[random.integers(len(constants))] ^= 1 << int(random.integers(8))
        sentence(partial(read, replace(program, constants=bytes(constants))))


def test_cut_constants(program: Program) -> None:
    for size in (0, 1, len(program.constants) // 2):
        assert sentence(partial(read, replace(program, constants=program.constants[:size])))


@pytest.mark.parametrize("register", ["OFM_DEPTH_M1", "IFM_DEPTH_M1", "OFM_HEIGHT_M1", "OFM_WIDTH_M1"])
def test_sizes_that_would_fill_the_memory_are_refused(program: Program, register: str) -> None:
    opcode = next(code for code, name in ONE_WORD[program.npu.family].items() if name == register)
    words = program.words.copy()
    words[[place for place, word in enumerate(words) if int(word) & 0xC3FF == opcode]] |= np.uint32(0xFFFF0000)

    assert sentence(lambda: Machine(replace(program, words=words)))


def test_operations_that_are_not_covered_are_named(program: Program) -> None:
    words = program.words.copy()
    first = next(offset for offset in np.flatnonzero(words & 0xC3FF == 2))  # a convolution
    words[first] = words[first] & ~np.uint32(0x3FF) | np.uint32(0x3F)

    assert "unknown command 0x" in sentence(lambda: Machine(replace(program, words=words)))
    assert Kind.CONV in {planned.command.kind for planned in Machine(program).planned}


def test_cut_and_flipped_files(whole: bytes, tmp_path: Path) -> None:
    path, random = tmp_path / "damaged.tflite", np.random.default_rng(4)
    for number in range(150):
        content = bytearray(whole)
        if number % 2:
            content = content[: random.integers(len(content))]
        for place in random.integers(0, len(content) + 1, 2):
            if place < len(content):
                content[place] ^= 1 << int(random.integers(8))
        content[4:8] = b"TFL3"
        path.write_bytes(content)
        sentence(lambda: read(load(path)))
