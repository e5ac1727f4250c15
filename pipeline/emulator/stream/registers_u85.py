"""The registers of the U85, by opcode, where they aren't those of U55 and U65.

Vela's Python part has the U55's alone; these are from Arm's ``ethos_u85_interface`` (Apache-2.0).
"""

ONE_WORD = {
    0x007: "NPU_OP_RESIZE",
    0x108: "IFM_BROADCAST",
    0x12A: "RESIZE_X_SCALE_N_M1",
    0x12B: "RESIZE_Y_SCALE_N_M1",
    0x12C: "RESIZE_X_OFFSET",
    0x12D: "RESIZE_Y_OFFSET",
    0x12E: "WEIGHT_FORMAT",
    0x134: "DMA0_IDX_REGION",
}
GONE = {"PARALLEL_MODE", "AB_START", "IFM_IB_END", "IFM2_IB_START", "IFM2_SCALAR"}
"""Registers of one word that the U85 has no longer."""
TWO_WORDS = {
    0x025: "IFM_SCALE",
    0x026: "IFM2_SCALE",
    0x027: "OP_SCALAR",
    0x033: "DMA0_SRC_STRIDE0",
    0x034: "DMA0_SRC_STRIDE1",
    0x035: "DMA0_DST_STRIDE0",
    0x036: "DMA0_DST_STRIDE1",
    0x037: "DMA0_IDX",
    0x038: "DMA0_IDX_MAX",
    0x039: "DMA0_IDX_SKIP1",
    0x092: "WEIGHT2_BASE",
    0x093: "WEIGHT2_LENGTH",
    0x094: "WEIGHT3_BASE",
    0x095: "WEIGHT3_LENGTH",
    0x096: "RESIZE_X_STEP",
    0x097: "RESIZE_Y_STEP",
}
