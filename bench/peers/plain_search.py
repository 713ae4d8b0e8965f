"""The searches that people run, with babysit's own network and loop: random without quitting, and Optuna's TPE with its median pruner.

    python bench/peers/plain_search.py random DATA --budget 240 --seed 0

Everything but the search is babysit's: the same network, rules and data, and each trial is trained as `babysit train` would,
with its usual schedule. How long a trial is belongs to a search: here a share of the budget, the better of two that were tried;
babysit's own lets few trials go a longer way. What is running when the time is over
counts with its best epoch so far. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import optuna

from babysit.api.running import read_request
from babysit.clock import process_clock
from babysit.data.corrections import read_lists
from babysit.data.split_file import split_table
from babysit.recipe import Recipe
from babysit.record import run as runs
from babysit.record.log import LogWriter
from babysit.searching.length import mean_step
from babysit.show import EpochShown, Silent
from babysit.training import prepare
from babysit.training.fit import Fit, Stop
from babysit.training.loop import StepDone
from babysit.training.plan import Plan
from babysit.training.session import Session, build

RATE_SHARES, STRENGTHS = (0.01, 10.0), (1e-6, 1e-2)
"""The ranges that `babysit search` takes by itself: shares of the rule's rate, and L2."""

SHARE = 0.2
"""Of the budget, for one trial: with a tenth random search came to 0.743, with a fifth to 0.797 (seed 0)."""


@dataclass
class Judge(Silent):
    """Ends a trial when the time is over or `prune` says so at the end of an epoch; remembers its best epoch."""

    ends: float
    prune: Callable[[int, float], bool]
    best: float = 0.0
    pruned: bool = False

    def epoch(self, shown: EpochShown) -> None:
        """After each epoch."""
        accuracy = shown.validation_accuracy or 0.0
        self.best = max(self.best, accuracy)
        self.pruned = self.pruned or self.prune(shown.epoch, accuracy)

    def why_end(self, _: StepDone) -> str:
        """After each step: why to end, or nothing."""
        return "pruned" if self.pruned else "time" if time.monotonic() > self.ends else ""


def trained(ground: Session, recipe: Recipe, total: int, judge: Judge) -> float:
    """The best validation accuracy of one trial."""
    session = build(
        recipe, ground.training, ground.validation, ground.classes, plan=Plan(((0, total),)), clock=ground.clock
    )
    with tempfile.TemporaryDirectory(prefix="babysit-peer-") as place:
        run = runs.create(Path(place) / "run")
        writer = LogWriter(run.log)
        fit = Fit(session, run, writer, judge, Stop(), watch=judge.why_end)
        fit.train()
        writer.close()
    return judge.best


def main() -> None:
    """Searches until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("way", choices=["random", "tpe"])
    parser.add_argument("data")
    parser.add_argument("--budget", type=float, default=240.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", type=float, default=SHARE, help="of the budget, that the steps of one trial take")
    options = parser.parse_args()
    clock = process_clock()
    ends = time.monotonic() + options.budget - clock.running()
    asked = read_request(options.data, None, {"seed": options.seed}).recipe
    lists = read_lists(None, None)
    catalog, sized, _ = prepare.look(asked, clock, lists=lists, show=Silent())
    images = prepare.decode(catalog, sized, lists=lists, clock=clock, show=Silent())
    assert split_table(images.catalog, images.split)
    ground, recipe, _ = prepare.start(sized, images, clock)
    total = max(10, round(options.share * options.budget / mean_step(ground)))
    random = np.random.default_rng(options.seed)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = optuna.samplers.TPESampler(seed=options.seed)
    study = optuna.create_study(direction="maximize", sampler=sampler, pruner=optuna.pruners.MedianPruner())
    found: list[float] = []
    while time.monotonic() < ends:
        trial = study.ask()
        if options.way == "random":
            share, strength = (float(np.exp(random.uniform(*np.log(ends_)))) for ends_ in (RATE_SHARES, STRENGTHS))
        else:
            share = trial.suggest_float("share", *RATE_SHARES, log=True)
            strength = trial.suggest_float("strength", *STRENGTHS, log=True)

        def prune(epoch: int, accuracy: float, trial: optuna.Trial = trial) -> bool:
            trial.report(accuracy, epoch)
            return options.way == "tpe" and trial.should_prune()

        assert recipe.optim.lr is not None
        changes = {
            "optim.lr": recipe.optim.lr * share,
            "regularize.l2": strength,
            "train.steps": total,
            "train.epochs": None,
        }
        judge = Judge(ends, prune)
        found.append(trained(ground, recipe.replace(dict(changes)), total, judge))
        state = optuna.trial.TrialState.PRUNED if judge.pruned else optuna.trial.TrialState.COMPLETE
        study.tell(trial, None if judge.pruned else found[-1], state=state)
    print(
        json.dumps(
            {
                "accuracy": max(found, default=0.0),
                "trials": len(found),
                "steps": total,
                "seconds": clock.running(),
                "all": found,
            }
        )
    )


if __name__ == "__main__":
    main()
