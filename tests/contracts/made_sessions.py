"""Trainings on digits that are about to begin."""

from __future__ import annotations

import time
from collections.abc import Mapping

from babysit.api.running import read_request
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.recipe import Recipe
from babysit.show import Silent
from babysit.training import prepare
from babysit.training.session import Session


def decoded(settings: Mapping[str, object]) -> tuple[Recipe, prepare.Data]:
    """A recipe with its size, and its images."""
    clock, lists = Clock(time.perf_counter()), read_lists(None, None)
    asked = read_request("digits", None, settings).recipe
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=Silent())
    return sized, prepare.decode(catalog, sized, lists=lists, clock=clock, show=Silent())


def started(settings: Mapping[str, object]) -> tuple[Session, dict[str, str]]:
    """A training, and the reasons of its settings."""
    sized, images = decoded(settings)
    session, session.recipe, reasons = prepare.start(sized, images, Clock(time.perf_counter()))
    return session, reasons
