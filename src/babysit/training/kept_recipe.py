"""The recipe of a run as it is kept in the run."""

from __future__ import annotations

from collections.abc import Mapping

from babysit.data import corrections
from babysit.recipe import Recipe, render
from babysit.record import atomic
from babysit.record.run import Run


def write_recipe(run: Run, recipe: Recipe, notes: Mapping[str, str]) -> None:
    """A split that the rule alone does not give, and the lists of corrections, are the ones beside the recipe."""
    atomic.write_text(run.recipe, beside(run, recipe, notes))


def beside(run: Run, recipe: Recipe, notes: Mapping[str, str]) -> str:
    """A recipe for a file in the run's folder, as TOML."""
    names: dict[str, object] = {"data.split": run.split.name} if recipe.data.split else {}
    given = [kind for kind in corrections.KINDS if recipe.get(f"data.{kind}")]
    names |= {f"data.{kind}": f"{run.corrections.name}/{kind}.csv" for kind in given}
    return render(recipe.replace(names), dict(notes))
