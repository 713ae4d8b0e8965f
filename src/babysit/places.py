"""Where babysit keeps what is not part of a run: decoded images (can be made again) and its memory (cannot)."""

from __future__ import annotations

import os
from pathlib import Path

from babysit.errors import UserError


def cache_home() -> Path:
    """Decoded and downloaded images: BABYSIT_CACHE, or `babysit` in the user's cache folder."""
    return _place("BABYSIT_CACHE", "XDG_CACHE_HOME", "~/.cache")


def state_home() -> Path:
    """What must be remembered between runs: BABYSIT_STATE, or `babysit` in the user's state folder."""
    return _place("BABYSIT_STATE", "XDG_STATE_HOME", "~/.local/state")


def _place(chosen: str, standard: str, usual: str) -> Path:
    if place := os.environ.get(chosen):
        return Path(place).expanduser()
    try:
        return Path(os.environ.get(standard) or usual).expanduser() / "babysit"
    except RuntimeError as error:
        raise UserError(
            "this user has no home folder to keep things in", hint=f"Set {chosen} to a folder you may write to"
        ) from error
