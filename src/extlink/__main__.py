"""`python -m extlink`: the command, where no script is installed."""

from __future__ import annotations

import sys

from extlink.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main())
