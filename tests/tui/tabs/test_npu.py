"""The NPU tab."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.records import amend
from tests.tui.alone import alone
from tests.tui.recorded import NOW, Recorded, writable
from tui.tabs.npu import NpuTab

WIDE = (94, 60)
HOME = Path("build/keyword/vela/u55-128")
SECOND = """
[vela.targets.u85-256]
accelerator = "ethos-u85-256"
system_config = "Ethos_U85_SYS_DRAM_Mid"
memory_mode = "Dedicated_Sram"
"""


def append(text: str) -> None:
    path = Path("experiments/keyword.toml")
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def find(**metrics: Any) -> None:
    """Let Vela have found something else."""
    amend(HOME, metrics=metrics)


@pytest.fixture
def built(recorded: Recorded) -> Recorded:
    """Return a project that is built."""
    recorded.write()
    recorded.build()
    return recorded


async def test_costs_bounds_and_roles_without_a_budget(built: Recorded) -> None:
    del built
    async with alone(NpuTab(), WIDE) as app:
        text = app.text()
        assert "u55-128  u55-128 Shared_Sram  ● fresh" in text
        assert "12.01 ms   estimated" in text
        assert "no [budget] in the experiment" in text
        assert "off-chip flash" in text
        assert "recurrent product" in text
        assert "189 operators on the NPU, 0 on the CPU" in text
        assert "DRAM  " not in text


async def test_a_budget_is_kept_or_not(built: Recorded) -> None:
    del built
    append("\n[budget]\ncycles_max = 1000\nsram_max = 6144\ncpu_operators_max = 0\n")
    async with alone(NpuTab(), WIDE) as app:
        text = app.text()
        assert "% OVER 1,000" in text
        assert "50 % of 6.0 KiB" in text
        assert "0 % of 0" in text
        assert "no [budget]" not in text
    find(sram_bytes=None)
    async with alone(NpuTab(), WIDE) as app:
        text = app.text()
        assert "NOT KNOWN, of 6.0 KiB" in text, "nor is it taken for 0"
        assert text.count("not known: the result has no sram_bytes") == 1


async def test_what_stays_on_the_cpu_is_listed_with_its_reason(built: Recorded) -> None:
    del built
    rows = [{"operator": "[Exp]", "name": "net/exp", "reason": "[not] supported"}]
    find(cpu_operators=1, cpu_operators_by_name=rows, dram_bytes=2**20)
    append("\n[budget]\ncpu_operators_max = 0\n")
    async with alone(NpuTab(), WIDE) as app:
        text = app.text()
        assert "189 operators on the NPU, 1 on the CPU" in text
        assert "[Exp] net/exp: [not] supported" in text
        assert "100 % OVER 0" in text
        assert "DRAM           1,024.0 KiB" in text


async def test_all_targets_are_shown_or_the_one_that_is_selected(recorded: Recorded) -> None:
    recorded.write()
    append(SECOND)
    recorded.build()
    async with alone(NpuTab(), WIDE) as app:
        text = app.text()
        assert "u55-128  u55-128 Shared_Sram" in text
        assert "u85-256  u85-256 Dedicated_Sram" in text
        app.select("vela:keyword:u85-256")
        assert "u55-128  " not in app.text()
        app.select("network:keyword")
        assert "u55-128  " in app.text()


async def test_no_result_then_running_then_failed_then_a_result(recorded: Recorded) -> None:
    recorded.write()
    async with alone(NpuTab(), WIDE) as app:
        assert "no result yet: never built" in app.text()
        recorded.start_run(NOW - 10)
        recorded.stage_event("stage_started", NOW - 9, "vela:keyword:u55-128", reasons=["never built"])
        app.look()
        assert "▶ running" in app.text()
        facts = {"message": "Vela says [no]", "log": "x", "ended": "exit code 1"}
        recorded.stage_event("stage_failed", NOW - 1, "vela:keyword:u55-128", **facts)
        recorded.end_run(NOW, ["vela:keyword:u55-128"])
        app.look()
        assert "no result yet: Vela says [no]" in app.text()
        recorded.build(stand_in="digits")
        app.look()
        assert "on STAND-IN data: digits" in app.text()
        recorded.write(units=8)
        app.look()
        assert "from the previous build: " in app.text()


async def test_what_is_not_known_is_a_dash_with_its_reason_and_keeps_no_budget(built: Recorded) -> None:
    del built
    why = "the compiled file has 2 graphs, of which Vela [reports] the last"
    layers = {"layers": [], "layers_unavailable": why, "summary": {}, "constants": []}
    writable(HOME / "layers.json").write_text(json.dumps(layers), encoding="utf-8")
    unknown = ("cycles_total", "inference_ms", "sram_bytes")
    amend(HOME, metrics=dict.fromkeys(unknown), unavailable=dict.fromkeys(unknown, why))
    append("\n[budget]\ncycles_max = 1000000000\nsram_max = 6144\nflash_max = 1000000000\n")
    async with alone(NpuTab(), WIDE) as app:
        lines = app.text().splitlines()
        assert [line.split()[1] for line in lines if line.startswith(("inference ", "SRAM "))][:2] == ["-", "-"]
        assert any(re.fullmatch(r"cycles +NOT KNOWN, of 1,000,000,000", line) for line in lines)
        assert any(re.fullmatch(r"SRAM +NOT KNOWN, of 6.0 KiB", line) for line in lines)
        assert any(re.match(r"flash .* % of 953.7 MiB", line) for line in lines)
        assert lines.count(f"not known: {why}") == 1
        assert f"no operator's cycles: {why}" in lines
        assert not any("what the cycles are spent on" in line for line in lines)


@pytest.mark.parametrize("damage", ["", '{"layers": [{}]}'])
async def test_damaged_layers_are_said(built: Recorded, damage: str) -> None:
    del built
    writable(HOME / "layers.json").write_text(damage, encoding="utf-8")
    async with alone(NpuTab(), WIDE) as app:
        assert "layers.json is " in app.text()


async def test_a_file_with_a_mistake_has_no_target(recorded: Recorded) -> None:
    del recorded
    Path("experiments/keyword.toml").write_text("x", encoding="utf-8")  # noqa: ASYNC240 - a test may wait for its disk
    async with alone(NpuTab(), WIDE) as app:
        assert app.text() == "no target: the experiment's file has a mistake"


async def test_a_narrow_screen_has_short_bars(built: Recorded) -> None:
    del built
    async with alone(NpuTab(), WIDE) as app:
        longest = max(line.count("█") for line in app.text().splitlines())
        await app.resize(50, 40)
        app.look()
        assert max(line.count("█") for line in app.text().splitlines()) < longest / 2
