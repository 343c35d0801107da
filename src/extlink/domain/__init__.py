"""Pure values and rules: no I/O, clock, randomness, logging or async (DESIGN floor 0)."""
