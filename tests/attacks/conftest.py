from tests.machines import machine, shared

__all__ = ["machine", "shared"]
