"""The tables of targets are those of the installed Vela."""

import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from itertools import product
from pathlib import Path

import ethosu
import pytest
from ethosu.vela.architecture_features import Accelerator

from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS, why_impossible
from pipeline.text.nearest import one_of

LARGEST = {family: [name for name, of in ACCELERATORS.items() if of == family][-1] for family in ("u55", "u65", "u85")}
POSSIBLE = [
    target for target in product(LARGEST.values(), SYSTEM_CONFIGS, MEMORY_MODES) if why_impossible(*target) is None
]


@pytest.fixture(scope="module")
def vela_ini() -> ConfigParser:
    parser = ConfigParser()
    folder = next(iter(ethosu.__path__))
    assert parser.read(Path(folder, "config_files", "Arm", "vela.ini"))
    return parser


def sections(parser: ConfigParser, kind: str) -> dict[str, dict[str, str]]:
    """Return the sections of a kind by name, with what they inherit."""
    found = {}
    for title in parser.sections():
        if title.startswith(f"{kind}."):
            own = dict(parser[title])
            inherited = dict(parser[own["inherit"]]) if "inherit" in own else {}
            found[title.removeprefix(f"{kind}.")] = {**inherited, **own}
    return found


def test_the_accelerators_are_velas() -> None:
    assert list(ACCELERATORS) == Accelerator.member_list()


def test_the_accelerators_are_those_of_velas_command_line() -> None:
    done = subprocess.run([sys.executable, "-m", "ethosu.vela", "--help"], capture_output=True, text=True, check=True)
    choices = done.stdout.split("--accelerator-config {", 1)[1].split("}", 1)[0]

    assert list(ACCELERATORS) == "".join(choices.split()).split(",")


def test_the_system_configs_are_those_of_vela_ini(vela_ini: ConfigParser) -> None:
    assert set(SYSTEM_CONFIGS) == set(sections(vela_ini, "System_Config"))


def test_the_memory_behind_the_second_port_is_that_of_vela_ini(vela_ini: ConfigParser) -> None:
    words = {"OffChipFlash": "flash", "Dram": "DRAM"}
    installed = {name: words[values["axi1_port"]] for name, values in sections(vela_ini, "System_Config").items()}

    assert {name: memory for name, (_, memory) in SYSTEM_CONFIGS.items()} == installed


def test_the_first_port_always_leads_to_sram(vela_ini: ConfigParser) -> None:
    assert {values["axi0_port"] for values in sections(vela_ini, "System_Config").values()} == {"Sram"}


def test_a_system_config_belongs_to_the_family_in_its_name() -> None:
    assert {name: name.split("_")[1].lower() for name in SYSTEM_CONFIGS} == {
        name: family for name, (family, _) in SYSTEM_CONFIGS.items()
    }


def test_the_memory_modes_are_those_of_vela_ini(vela_ini: ConfigParser) -> None:
    words = {"Axi0": "SRAM", "Axi1": "second port"}
    installed = {name: words[values["arena_mem_area"]] for name, values in sections(vela_ini, "Memory_Mode").items()}

    assert dict(MEMORY_MODES) == installed


def test_only_sram_only_keeps_the_constants_in_sram(vela_ini: ConfigParser) -> None:
    modes = sections(vela_ini, "Memory_Mode")

    assert [name for name, values in modes.items() if values["const_mem_area"] == "Axi0"] == ["Sram_Only"]


@pytest.mark.parametrize("accelerator", ACCELERATORS)
def test_every_accelerator_has_a_target_with_the_arena_in_sram(accelerator: str) -> None:
    configs = [name for name in SYSTEM_CONFIGS if why_impossible(accelerator, name, "Shared_Sram") is None]

    assert configs
    assert {SYSTEM_CONFIGS[name][0] for name in configs} == {ACCELERATORS[accelerator]}


@pytest.mark.slow
@pytest.mark.parametrize("target", POSSIBLE, ids=" ".join)
def test_what_is_called_possible_is_compiled_by_vela(
    compiled: Callable[..., tuple[Path, str]], target: tuple[str, str, str]
) -> None:
    folder, _ = compiled("on_npu", *target)

    assert list(folder.glob("*_vela.tflite"))


@pytest.mark.parametrize(
    "target",
    [
        ("ethos-u55-128", "Ethos_U55_Deep_Embedded", "Dedicated_Sram"),
        ("ethos-u65-256", "Ethos_U65_Embedded", "Dedicated_Sram_384KB"),
        ("ethos-u85-512", "Ethos_U85_SYS_Flash_Low", "Dedicated_Sram_512KB"),
    ],
    ids=" ".join,
)
def test_an_arena_in_flash_is_refused_by_vela_and_so_by_us(
    models: Path, tmp_path: Path, target: tuple[str, str, str]
) -> None:
    accelerator, system_config, memory_mode = target
    command = [sys.executable, "-m", "ethosu.vela", str(models / "on_npu.tflite"), "--output-dir", str(tmp_path)]
    command += ["--config", "Arm/vela.ini", "--accelerator-config", accelerator]
    command += ["--system-config", system_config, "--memory-mode", memory_mode]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode != 0
    assert "arena_mem_area=OffChipFlash" in done.stderr
    assert "use Shared_Sram or Sram_Only" in (why_impossible(*target) or "")


@pytest.mark.parametrize(
    ("accelerator", "system_config"),
    [
        ("ethos-u55-32", "Ethos_U65_High_End"),
        ("ethos-u65-512", "Ethos_U85_SYS_DRAM_Low"),
        ("ethos-u85-2048", "Ethos_U55_High_End_Embedded"),
    ],
)
def test_a_config_of_another_family_is_answered_with_those_of_this_one(accelerator: str, system_config: str) -> None:
    why = why_impossible(accelerator, system_config, "Sram_Only") or ""

    said, remedy = why.split("; use ")
    assert said == f"system_config {system_config} is not for {accelerator}"
    assert set(remedy.replace(" or ", ", ").split(", ")) == {
        name for name, (family, _) in SYSTEM_CONFIGS.items() if family == ACCELERATORS[accelerator]
    }


def test_names_are_joined_as_in_a_sentence() -> None:
    assert one_of(["a"]) == "a"
    assert one_of(["a", "b"]) == "a or b"
    assert one_of(["a", "b", "c"]) == "a, b or c"
