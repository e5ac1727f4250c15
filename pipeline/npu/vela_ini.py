"""One's own ``vela.ini``: system configurations and memory modes of a chip that Arm's file does not have."""

from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import UnrollError
from pipeline.npu.targets import ACCELERATORS, MEMORY_MODES, SYSTEM_CONFIGS

MEMORIES = ("Sram", "Dram", "OnChipFlash", "OffChipFlash")
PORTS = ("Axi0", "Axi1")
KINDS = ("System_Config", "Memory_Mode")


class VelaIniError(UnrollError):
    """An ini file that Vela could not use: section, key, remedy."""


@dataclass(frozen=True)
class Mode:
    """Which port constants, arena and cache lie behind."""

    const: str
    arena: str
    cache: str


def _arm_mode(name: str) -> Mode:
    behind = "Axi1" if MEMORY_MODES[name] == "second port" else "Axi0"
    return Mode(const="Axi0" if name == "Sram_Only" else "Axi1", arena=behind, cache="Axi0")


_ARM_SYSTEMS = {
    name: ("Sram", "Dram" if second == "DRAM" else "OffChipFlash") for name, (_, second) in SYSTEM_CONFIGS.items()
}


@dataclass(frozen=True)
class VelaIni:
    """What a file defines, on top of Arm's own."""

    systems: Mapping[str, tuple[str, str]] = field(default_factory=lambda: dict(_ARM_SYSTEMS))
    """System configuration -> the memories behind Axi0 and Axi1."""
    modes: Mapping[str, Mode] = field(default_factory=lambda: {name: _arm_mode(name) for name in MEMORY_MODES})

    def memory(self, system: str, port: str) -> str:
        """Return the memory behind a port."""
        return self.systems[system][PORTS.index(port)]

    def constants_in(self, system: str, mode: str) -> str:
        """Return the memory that a mode puts the constants and the command stream into."""
        return self.memory(system, self.modes[mode].const)

    def why_impossible(self, accelerator: str, system: str, mode: str) -> str | None:
        """Say why the three can't go together, as Vela would, or None when they can; all must be known."""
        if system in SYSTEM_CONFIGS and SYSTEM_CONFIGS[system][0] != ACCELERATORS[accelerator]:
            return f"system_config {system} is not for {accelerator}"
        arena, cache = (self.memory(system, port) for port in (self.modes[mode].arena, self.modes[mode].cache))
        if arena not in ("Sram", "Dram"):
            return f"memory_mode {mode} puts the arena into {arena} in {system}, which can't be written to"
        if cache != "Sram":
            return f"memory_mode {mode} puts the cache into {cache} in {system}; it has to be Sram"
        return None


def read(path: Path) -> VelaIni:
    """Read one's own file.

    Raises:
        VelaIniError: it can't be read, is no ini file, or a section or key is not what Vela knows.

    """
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        _fail(f"can't be read: {error.strerror}")
    except (IniError, UnicodeDecodeError) as error:
        _fail(f"is not an ini file: {str(error).splitlines()[0]}")
    if path.suffix != ".ini":
        _fail("has another ending than .ini, which Vela insists on")
    arm = VelaIni()
    systems, modes = dict(arm.systems), dict(arm.modes)
    for section in parser.sections():
        kind, _, name = section.partition(".")
        if kind not in KINDS or not name:
            _fail(f"unknown section [{section}]; allowed: [System_Config.<name>] and [Memory_Mode.<name>]")
        if kind == "System_Config":
            systems[name] = _system(parser, section)
        else:
            modes[name] = Mode(
                *(_value(parser, section, f"{area}_mem_area", PORTS) for area in ("const", "arena", "cache"))
            )
    return VelaIni(systems, modes)


def _system(parser: ConfigParser, section: str) -> tuple[str, str]:
    """Check a system configuration; return the memories behind its ports."""
    _check_positive(parser, section, "core_clock", "the clock in Hz, such as 400e6")
    memories = tuple(_value(parser, section, f"{port.lower()}_port", MEMORIES) for port in PORTS)
    for memory in memories:  # without it, Vela takes the memory for one that is not there
        _check_positive(parser, section, f"{memory}_clock_scale", "the memory's bandwidth as a share of the port's")
    return memories[0], memories[1]


def _check_positive(parser: ConfigParser, section: str, key: str, meaning: str) -> None:
    text = _found(parser, section, key)
    try:
        good = float(text) > 0
    except ValueError:
        good = False
    if not good:
        _fail(f"[{section}] {key} = {text}: give {meaning}")


def _value(parser: ConfigParser, section: str, key: str, allowed: tuple[str, ...]) -> str:
    text = _found(parser, section, key)
    if text not in allowed:
        _fail(f"[{section}] {key} = {text}; allowed: {', '.join(allowed)}")
    return text


def _found(parser: ConfigParser, section: str, key: str) -> str:
    """Return a key of a section or of one that it inherits from."""
    seen: list[str] = []
    place = section
    while place not in seen:
        seen.append(place)
        if parser.has_option(place, key):
            return parser.get(place, key)
        parent = parser.get(place, "inherit", fallback=None)
        if parent is None:
            break
        if not parser.has_section(parent):
            _fail(f"[{place}] inherits from [{parent}], which is not in the file")
        place = parent
    _fail(f"[{section}] has no {key}")
    return ""


def _fail(problem: str) -> None:
    raise VelaIniError(problem)
