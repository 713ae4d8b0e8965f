"""What was asked: the schema of a recipe, and its text form."""

from babysit.recipe.schema import Recipe, setting_names
from babysit.recipe.text import Override, Parsed, parse, read_resolved, render

__all__ = ["Override", "Parsed", "Recipe", "parse", "read_resolved", "render", "setting_names"]
