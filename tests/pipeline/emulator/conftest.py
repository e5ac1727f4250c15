"""What compiles a model once for all tests."""

import hashlib

import pytest

from pipeline.emulator.stream import debug_database
from pipeline.npu import compiler
from tests.pipeline.emulator.compiled import Compile, Compiled, CompileModel, target
from tests.pipeline.networks import Network


@pytest.fixture(scope="session")
def compile_model(tmp_path_factory: pytest.TempPathFactory) -> CompileModel:
    """Return what compiles a quantized model with the real Vela, with its debug database."""
    made: dict[tuple[str, str, str], Compiled] = {}

    def compile_(content: bytes, accelerator: str = "ethos-u55-128", memory_mode: str = "Shared_Sram") -> Compiled:
        key = hashlib.sha256(content).hexdigest(), accelerator, memory_mode
        if key not in made:
            folder = tmp_path_factory.mktemp("compiled")
            quantized = folder / "quantized.tflite"
            quantized.write_bytes(content)
            wanted = target(accelerator, memory_mode)
            path, _ = compiler.compile_model(quantized, folder / "out", wanted, debug_database.ARGUMENT)
            made[key] = Compiled(path, quantized)
        return made[key]

    return compile_


@pytest.fixture(scope="session")
def compile_network(compile_model: CompileModel) -> Compile:
    """Return what quantizes and compiles a network."""

    def compile_(  # noqa: PLR0913 - what makes a network another one
        network: Network,
        steps: int = 3,
        accelerator: str = "ethos-u55-128",
        memory_mode: str = "Shared_Sram",
        *,
        state: bool = False,
        bits: int = 8,
    ) -> Compiled:
        return compile_model(network.quantize(steps, bits, state=state), accelerator, memory_mode)

    return compile_
