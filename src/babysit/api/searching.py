"""Searching settings: the learning-rate range test, and coarse to fine."""

from __future__ import annotations

import time
from pathlib import Path

from babysit.api.running import Settings, read_request, stem_of
from babysit.clock import Clock
from babysit.data.corrections import read_lists
from babysit.reporting.rates import write_rate_page
from babysit.searching.rate import range_test
from babysit.searching.reading import RateTest, Reading, Sweep
from babysit.searching.telling import told_rate
from babysit.show import Show, Silent
from babysit.training import prepare


def find_rate(
    data: str,
    *,
    out: str | Path | None = None,
    recipe: str | Path | None = None,
    settings: Settings = (),
    show: Show | None = None,
) -> RateTest:
    """A learning-rate range test of what `train` would train, and a page about it. Trains nothing that is kept.

    Arguments:
        data: as of `train`.
        out: the page; by default rate-NAME.html in the working folder.

    Raises:
        UserError: when the user must change something before there is anything to test.
    """
    show, clock = show or Silent(), Clock(time.perf_counter())
    asked = read_request(data, recipe, settings).recipe
    lists = read_lists(asked.data.exclude, asked.data.relabel)
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=show)
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=show)
    session, filled, _ = prepare.start(sized, images, clock)
    session.recipe = filled
    show.say(f"{data}: {filled.model.name}, {filled.optim.kind}, {session.batch_size} images a step.")

    def told(sweep: Sweep, reading: Reading) -> None:
        suggested = f"suggests {reading.suggestion:.2g}" if reading.suggestion else "suggests no rate"
        show.say(f"  seed {sweep.seed}: {len(sweep.rates)} steps up to {sweep.rates[-1]:.2g}; {suggested}.")

    test = range_test(session, told=told)
    lines = told_rate(test)
    page = write_rate_page(
        test.as_json(), lines, Path(out) if out else Path(f"rate-{stem_of(data)}.html"), data=stem_of(data)
    )
    for line in [*lines, f"Page: {page}"]:
        show.say(line)
    return test
