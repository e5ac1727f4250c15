"""Which accelerator, system configuration and memory mode go together.

The names are those of Vela and of its ``Arm/vela.ini``; a test compares the tables with the
installed file. They stand here so that an experiment is checked without importing Vela.
"""

from collections.abc import Mapping

from pipeline.text.nearest import one_of

ACCELERATORS: Mapping[str, str] = {
    f"ethos-{family}-{macs}": family
    for family, sizes in {
        "u55": (32, 64, 128, 256),
        "u65": (256, 512),
        "u85": (128, 256, 512, 1024, 2048),
    }.items()
    for macs in sizes
}
"""Accelerator configuration -> family; the number is MACs per cycle."""

SYSTEM_CONFIGS: Mapping[str, tuple[str, str]] = {
    "Ethos_U55_Deep_Embedded": ("u55", "flash"),
    "Ethos_U55_High_End_Embedded": ("u55", "flash"),
    "Ethos_U65_Embedded": ("u65", "flash"),
    "Ethos_U65_Mid_End": ("u65", "DRAM"),
    "Ethos_U65_High_End": ("u65", "DRAM"),
    "Ethos_U65_Client_Server": ("u65", "DRAM"),
    "Ethos_U85_SYS_Flash_Low": ("u85", "flash"),
    "Ethos_U85_SYS_Flash_High": ("u85", "flash"),
    "Ethos_U85_SYS_DRAM_Low": ("u85", "DRAM"),
    "Ethos_U85_SYS_DRAM_Mid": ("u85", "DRAM"),
    "Ethos_U85_SYS_DRAM_High": ("u85", "DRAM"),
}
"""System configuration -> (accelerator family, memory behind the second AXI port)."""

MEMORY_MODES: Mapping[str, str] = {
    "Sram_Only": "SRAM",
    "Shared_Sram": "SRAM",
    "Dedicated_Sram": "second port",
    "Dedicated_Sram_256KB": "second port",
    "Dedicated_Sram_384KB": "second port",
    "Dedicated_Sram_512KB": "second port",
}
"""Memory mode -> where it puts the arena."""


def why_impossible(accelerator: str, system_config: str, memory_mode: str) -> str | None:
    """Say why the three can't go together, with the remedy, or None when they can.

    All three must be known names.
    """
    family = ACCELERATORS[accelerator]
    config_family, second_memory = SYSTEM_CONFIGS[system_config]
    if family != config_family:
        fitting = [name for name, (of, _) in SYSTEM_CONFIGS.items() if of == family]
        return f"system_config {system_config} is not for {accelerator}; use {one_of(fitting)}"
    if MEMORY_MODES[memory_mode] == "SRAM":
        return None
    if family == "u55":
        return f"memory_mode {memory_mode} needs DRAM, which the U55 has not; use Shared_Sram or Sram_Only"
    if second_memory == "flash":
        return (
            f"memory_mode {memory_mode} puts the arena behind the second port, which is read-only flash"
            f" in {system_config}; use Shared_Sram or Sram_Only, or a system_config with DRAM"
        )
    return None
