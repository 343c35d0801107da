"""Files that a command reads and writes: bounded, unpacked where they are packed, never overwritten by accident.

Rules: whatever is wrong with a file is told with its name and what to do about it; a file is written whole or not at
all (a new file beside it, then renamed); an existing one is replaced only where the caller says so.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import tempfile
import zlib
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

from extlink.errors import InvalidInput

__all__ = ["day_in_name", "read_file", "write_file"]

# As much as a reader takes (feeds), and one byte more, so that a larger file is told from one of just this size.
_MAX_BYTES: Final = 64 * 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
# The vendor's own names: ServiceTags_Public_20250120.json; or a day written out.
_DAY: Final = re.compile(r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])(?![0-9])")


def read_file(path: Path, option: str) -> bytes:
    """Return a file's content, unpacked if it is a gzip file.

    Args:
        path: where it is.
        option: the option that named it, for the message.

    Raises:
        InvalidInput: it cannot be read, cannot be unpacked, or has more than 64 MiB.
    """
    try:
        with path.open("rb") as file:
            packed = file.read(len(_GZIP)) == _GZIP
            file.seek(0)
            data = _unpack(file.read(_MAX_BYTES + 1)) if packed else file.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as exc:
        why = exc.strerror if isinstance(exc, OSError) and exc.strerror else "it cannot be unpacked"
        raise InvalidInput(option, f"expected a file that can be read, got {str(path)!a}: {why.lower()}") from exc
    if len(data) > _MAX_BYTES:
        raise InvalidInput(option, f"expected at most {_MAX_BYTES // 1024 // 1024} MiB, got more in {str(path)!a}")
    return data


def _unpack(data: bytes) -> bytes:
    # Bounded, so that a small file cannot fill the memory.
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    found = unpacker.decompress(data, _MAX_BYTES + 1)
    if len(found) <= _MAX_BYTES and not unpacker.eof:
        raise gzip.BadGzipFile("cut off")
    if unpacker.unused_data:
        # A second part would be passed over, and nobody could tell from the report.
        raise gzip.BadGzipFile("more than one file")
    return found


def write_file(path: Path, data: Iterable[bytes], *, overwrite: bool, option: str = "--write") -> None:
    """Write a file whole.

    Args:
        path: where to.
        data: what to, part by part; whatever it raises leaves no file behind.
        overwrite: replace a file that is there.
        option: the option that named it, for the message.

    Raises:
        InvalidInput: it exists and `overwrite` is not said, or it cannot be written.
    """
    try:
        if path.exists() and not overwrite:
            way_out = "name --overwrite" if option == "--write" else "name another one"
            raise InvalidInput(option, f"expected a new file, got {str(path)!a}, which exists; {way_out}")
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(data)
                file.flush()
                os.fsync(file.fileno())
            _name(Path(beside), path, overwrite=overwrite)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(beside).unlink()
            raise
    except OSError as exc:
        why = (exc.strerror or "unknown").lower()
        raise InvalidInput(option, f"expected a file that can be written, got {str(path)!a}: {why}") from exc


def _name(beside: Path, path: Path, *, overwrite: bool) -> None:
    """Give a whole file its name, and have that on the disk before anything rests on it."""
    if overwrite:
        beside.replace(path)
    else:
        try:
            # Taken only if it is free at this moment: it was looked at before the file was begun.
            path.hardlink_to(beside)
            beside.unlink()
        except PermissionError:
            # A file system without links.
            beside.replace(path)
    with contextlib.suppress(PermissionError):  # not every system lets a folder be opened
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def day_in_name(path: Path) -> date | None:
    """Return the day that a file's name tells, as the vendor's own names do; None where it tells none.

    >>> day_in_name(Path("ServiceTags_Public_20250120.json")), day_in_name(Path("tags.json"))
    (datetime.date(2025, 1, 20), None)
    """
    for year, month, day in _DAY.findall(path.name):
        with contextlib.suppress(ValueError):
            return date(int(year), int(month), int(day))
    return None
