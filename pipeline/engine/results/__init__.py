"""Results: their records, the store that remembers them, and one that is shared."""
