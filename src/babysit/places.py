"""Where babysit keeps what is not part of a run: decoded images (can be made again) and its memory (cannot)."""

from __future__ import annotations

import os
from pathlib import Path


def cache_home() -> Path:
    """Decoded and downloaded images: BABYSIT_CACHE, or `babysit` in the user's cache folder."""
    return _place("BABYSIT_CACHE", "XDG_CACHE_HOME", "~/.cache")


def state_home() -> Path:
    """What must be remembered between runs: BABYSIT_STATE, or `babysit` in the user's state folder."""
    return _place("BABYSIT_STATE", "XDG_STATE_HOME", "~/.local/state")


def _place(chosen: str, standard: str, usual: str) -> Path:
    if place := os.environ.get(chosen):
        return Path(place).expanduser()
    return Path(os.environ.get(standard) or usual).expanduser() / "babysit"
