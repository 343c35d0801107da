"""Floor 4: what touches the world - stores, clocks, randomness, sealing. Each module is imported by its whole name."""

from __future__ import annotations
