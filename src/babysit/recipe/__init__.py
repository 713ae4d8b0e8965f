"""What was asked: the schema of a recipe, and its text form."""

from babysit.recipe.schema import Recipe
from babysit.recipe.text import Override, parse, read_resolved, render

__all__ = ["Override", "Recipe", "parse", "read_resolved", "render"]
