"""Event files for TensorBoard, beside the log and with the same figures: `tensorboard --logdir RUN/events` shows them.

The log stays what everything here reads; these are for those who have a TensorBoard open already.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from typing import TYPE_CHECKING

from babysit.errors import Fault
from babysit.recipe import Recipe, render
from babysit.record.log import Row
from babysit.record.run import Run

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter


class EventFiles:
    """Writes the log's rows as scalars named KIND/QUANTITY over the step, a group of figures for each kind of row, and the recipe as a text.

    Arguments:
        step: of the checkpoint that is gone on from; what was written of later steps is hidden.
    """

    def __init__(self, run: Run, recipe: Recipe, step: int) -> None:
        # Only now: it takes a third of a second, and needs a package that few have.
        from torch.utils.tensorboard.writer import SummaryWriter

        self._writer: SummaryWriter = SummaryWriter(str(run.events), purge_step=step + 1 if step else None)
        if not step:
            self._writer.add_text("recipe", f"```toml\n{render(recipe)}```")

    def append(self, row: Row) -> None:
        """One point for each figure of the row; one that is not a number is left out."""
        for name, value in row.values.items():
            if math.isfinite(value):
                self._writer.add_scalar(f"{row.kind}/{name}", value, row.step)

    def sync(self) -> None:
        """Forces everything to the disk."""
        self._writer.flush()

    def close(self) -> None:
        """Ends the file."""
        self._writer.close()


def mirrors(run: Run, recipe: Recipe, step: int) -> tuple[EventFiles, ...]:
    """What writes the log's rows down a second time, as `train.log` asks for it.

    Arguments:
        step: of the checkpoint that is gone on from, 0 at the beginning.
    """
    return (EventFiles(run, recipe, step),) if recipe.train.log == "tensorboard" else ()


def log_faults(recipe: Recipe, place: str) -> list[Fault]:
    """Says so, before anything is done, when the package is missing.

    Arguments:
        place: where `train.log` was written.
    """
    if recipe.train.log != "tensorboard" or find_spec("tensorboard"):
        return []
    hint = "pip install 'babysit[tensorboard]'; without it the run's log.jsonl and report have the same figures"
    return [Fault("event files need the package tensorboard", place, hint=hint)]
