"""Arm's Ethos-U: accelerator configurations, memory modes, and what Vela reports."""
