"""Importing PyTorch and its like without the garbage collector: it would look through a million
new objects again and again, which takes a third of the time, and find nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports(for_good: bool = False) -> Iterator[None]:
    """No garbage is collected inside the block.

    Args:
        for_good: keep what was imported from the collector for good. It would write to every
            page of memory that a fork shares with this process, and so copy it, and look through
            everything once more when the process ends.

    >>> with quick_imports():
    ...     gc.isenabled()
    False
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if for_good:
            gc.freeze()
        if was_enabled:
            gc.enable()
