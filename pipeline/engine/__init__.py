"""What makes what is stale, atomically, and remembers it; it knows no stage by its name."""
