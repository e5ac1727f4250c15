"""The tabs of the main screen, one a module."""
