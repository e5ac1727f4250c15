"""One's own vela.ini: what is read of it is what Vela reads, and a mistake is one sentence."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.npu import vela_ini
from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS, why_impossible
from pipeline.npu.vela_ini import Mode, VelaIni, VelaIniError

OWN = """
[System_Config.Mine]
core_clock=400e6
axi0_port=Sram
axi1_port=OffChipFlash
Sram_clock_scale=1.0
OffChipFlash_clock_scale=0.25

[System_Config.Faster]
inherit=System_Config.Mine
core_clock=800e6

[Memory_Mode.Everything_In_Sram]
const_mem_area=Axi0
arena_mem_area=Axi0
cache_mem_area=Axi0
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "eigene Bretter" / "mine.ini"
    path.parent.mkdir()
    path.write_text(OWN, encoding="utf-8")
    return path


def test_what_it_defines_comes_on_top_of_arms(own: Path) -> None:
    found = vela_ini.read(own)
    assert found.systems["Mine"] == found.systems["Faster"] == ("Sram", "OffChipFlash")
    assert found.modes["Everything_In_Sram"] == Mode("Axi0", "Axi0", "Axi0")
    assert set(found.systems) > set(SYSTEM_CONFIGS)
    assert set(found.modes) > set(MEMORY_MODES)


def test_where_constants_live_is_told_by_the_ports(own: Path) -> None:
    found = vela_ini.read(own)
    assert found.constants_in("Mine", "Everything_In_Sram") == "Sram"
    assert found.constants_in("Mine", "Shared_Sram") == "OffChipFlash"
    assert found.constants_in("Ethos_U65_High_End", "Dedicated_Sram") == "Dram"


def test_arms_own_names_are_judged_as_without_a_file() -> None:
    ini = VelaIni()
    for accelerator in ACCELERATORS:
        for system in SYSTEM_CONFIGS:
            for mode in MEMORY_MODES:
                assert bool(ini.why_impossible(accelerator, system, mode)) == bool(
                    why_impossible(accelerator, system, mode)
                ), (accelerator, system, mode)


def test_an_arena_in_flash_is_refused(own: Path) -> None:
    reason = vela_ini.read(own).why_impossible("ethos-u65-256", "Mine", "Dedicated_Sram")
    assert reason == "memory_mode Dedicated_Sram puts the arena into OffChipFlash in Mine, which can't be written to"


def test_vela_compiles_with_it(own: Path, models: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "ethosu.vela",
        str(models / "on_npu.tflite"),
        "--output-dir",
        str(tmp_path / "out"),
    ]
    command += ["--config", "Arm/vela.ini", "--config", str(own), "--accelerator-config", "ethos-u55-64"]
    command += ["--system-config", "Faster", "--memory-mode", "Everything_In_Sram"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.search(r"Accelerator clock +800 MHz", done.stdout)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "[System_Config.Mine]",
            "[Sytem_Config.Mine]",
            "unknown section [Sytem_Config.Mine]; allowed: [System_Config.",
        ),
        ("[System_Config.Mine]", "[System_Config]", "unknown section [System_Config]"),
        ("axi0_port=Sram", "", "[System_Config.Mine] has no axi0_port"),
        ("axi0_port=Sram", "axi0_port=SRAM", "[System_Config.Mine] axi0_port = SRAM; allowed: Sram, Dram, OnChipFlash"),
        ("const_mem_area=Axi0", "const_mem_area=Axi2", "const_mem_area = Axi2; allowed: Axi0, Axi1"),
        ("core_clock=400e6", "core_clock=fast", "core_clock = fast: give the clock in Hz, such as 400e6"),
        ("core_clock=400e6", "core_clock=-1", "core_clock = -1: give the clock in Hz"),
        (
            "inherit=System_Config.Mine",
            "inherit=System_Config.Yours",
            "inherits from [System_Config.Yours], which is not",
        ),
        ("inherit=System_Config.Mine", "inherit=System_Config.Faster", "[System_Config.Faster] has no axi0_port"),
        ("[System_Config.Mine]", "no section", "is not an ini file: "),
    ],
)
def test_a_mistake_is_one_sentence(own: Path, old: str, new: str, says: str) -> None:
    own.write_text(OWN.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(VelaIniError) as caught:
        vela_ini.read(own)
    assert says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_that_is_not_there_or_not_an_ini_is_one_sentence(own: Path, tmp_path: Path) -> None:
    with pytest.raises(VelaIniError, match="can't be read: No such file"):
        vela_ini.read(tmp_path / "none.ini")
    with pytest.raises(VelaIniError, match="another ending"):
        vela_ini.read(own.rename(own.with_suffix(".txt")))
