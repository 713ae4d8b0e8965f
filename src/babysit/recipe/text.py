"""A recipe as TOML: reading with every fault at once, each with its file and line; and writing.

The same reader takes the command line's `--set key=value`: an override's place is the option itself.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli_w
from pydantic import ValidationError

from babysit.errors import Fault, UserError
from babysit.recipe.schema import Recipe, setting_names
from babysit.tables import nearest

BESIDE = (("data", "split"), ("data", "exclude"), ("data", "relabel"), ("model", "weights"))
"""Settings that name a file beside the recipe, wherever the command runs."""


ELSEWHERE = {
    "learning_rate": "optim.lr",
    "weight_decay": "regularize.decay",
    "nesterov": "optim.kind",
    "optimizer": "optim.kind",
    "label_smoothing": "loss.smoothing",
    "scheduler": "schedule.kind",
    "lr_scheduler": "schedule.kind",
    "pretrained": "model.weights",
    "image_size": "data.size",
    "img_size": "data.size",
}
"""What other programs call settings, and what they are called here."""


@dataclass(frozen=True, slots=True)
class Override:
    """One setting from outside the file: its dotted name, its value, and where the user wrote it."""

    name: str
    value: object
    where: str

    @classmethod
    def from_text(cls, text: str) -> Override:
        """Reads `optim.lr=0.1`. The value is TOML; what is not TOML is taken as a string.

        >>> Override.from_text("optim.lr=1e-2").value
        0.01
        >>> Override.from_text("model.name=quick").value
        'quick'
        """
        name, equals, value = text.partition("=")
        where = f"--set {text}"
        if not equals or not name.strip():
            raise UserError("this is not a setting", where=where, legal="key=value, as in --set optim.lr=0.1")
        try:
            parsed: object = tomllib.loads(f"value = {value.strip()}")["value"]
        except tomllib.TOMLDecodeError:
            parsed = value.strip()
        return cls(name.strip(), parsed, where)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A recipe as far as it could be read, the faults found, and where each setting was written."""

    recipe: Recipe
    faults: tuple[Fault, ...]
    places: dict[str, str]


def parse(path: Path | None = None, overrides: Sequence[Override] = ()) -> Parsed:
    """Reads a recipe file, lays the overrides over it, and reports all structural faults together.

    Arguments:
        path: a TOML file, or None for an empty recipe.
        overrides: later ones win.

    Raises:
        UserError: only when the file cannot be read as TOML at all.
    """
    values, places = _read_file(path) if path else ({}, {})
    faults: list[Fault] = []
    for override in overrides:
        if _put(values, override.name, override.value):
            places[override.name] = override.where
        else:
            faults.append(unknown_setting(override.name, override.where))
    while True:
        try:
            recipe = Recipe.model_validate(values)
            return Parsed(recipe, tuple(faults), places)
        except ValidationError as error:
            # The faulty settings are taken out and the rest is read again, so that one pass finds all faults.
            for problem in error.errors(include_url=False):
                name = _take_out(values, [str(part) for part in problem["loc"]])
                faults.append(_fault(name, problem, places.get(name, str(path or "the recipe"))))


def read_resolved(path: Path) -> Recipe:
    """The resolved recipe of a run.

    Raises:
        UserError: when the file is missing or does not hold a recipe.
    """
    parsed = parse(path)
    if parsed.faults:
        raise UserError.of(parsed.faults)
    return parsed.recipe


def render(recipe: Recipe, notes: dict[str, str] | None = None) -> str:
    """The recipe as TOML, settings by rule (None) left out; `notes` become comments behind their setting.

    >>> print(render(Recipe(), {"optim.momentum": "a note"}).split("[optim]")[1].split("[")[0].strip())
    kind = "nesterov"
    momentum = 0.9  # a note
    """
    lines = ["# A babysit recipe: what was asked for, and what was decided by rule.", f"seed = {recipe.seed}"]
    for part, values in recipe.model_dump().items():
        if not isinstance(values, dict):
            continue
        lines += ["", f"[{part}]"]
        for name, value in values.items():
            if value is None or value == ():
                continue
            # JSON's way of writing a list of numbers is TOML's, and stays on one line.
            text = f"{name} = {json.dumps(value)}" if isinstance(value, tuple) else tomli_w.dumps({name: value}).strip()
            note = (notes or {}).get(f"{part}.{name}", "")
            lines.append(f"{text}  # {note}" if note and "\n" not in text else text)
    return "\n".join(lines) + "\n"


def _read_file(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserError(f"the recipe cannot be read: {reason}", where=str(path)) from error
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UserError(
            f"this is not TOML: {error}", where=str(path), hint="See docs/reference.md for an example"
        ) from error
    for table, name in BESIDE:
        part = values.get(table)
        if isinstance(part, dict) and isinstance(part.get(name), str) and part[name]:
            part[name] = str(path.parent / Path(part[name]).expanduser())
    return values, {name: f"{path}:{line}" for name, line in _lines(text).items()}


def _lines(text: str) -> dict[str, int]:
    """The line of every key, found by scanning for it under its table."""
    places: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]+", line):
            table = header[1].replace('"', "").replace(" ", "")
            places.setdefault(table, number)
        elif key := re.match(r"""\s*([A-Za-z0-9_."'-]+)\s*=""", line):
            name = key[1].replace('"', "").replace("'", "")
            full = f"{table}.{name}" if table else name
            places.setdefault(full, number)
            for inner in re.findall(r"[{,]\s*([A-Za-z0-9_-]+)\s*=", line[key.end() :]):
                places.setdefault(f"{full}.{inner}", number)
    return places


def _put(values: dict[str, Any], name: str, value: object) -> bool:
    if name not in setting_names():
        return False
    *parts, last = name.split(".")
    target = values
    for part in parts:
        target = target.setdefault(part, {})
        if not isinstance(target, dict):
            return True  # the file holds a bare value where a table belongs; the schema will say so
    target[last] = value
    return True


def _take_out(values: dict[str, Any], location: list[str]) -> str:
    """Removes the faulty setting and returns its dotted name."""
    target: Any = values
    trail: list[str] = []
    for part in location:
        trail.append(part)
        if not isinstance(target, dict) or part not in target:
            break
        if len(trail) == 2 or not isinstance(target[part], dict):
            del target[part]
            break
        if trail == location:
            del target[part]
            break
        target = target[part]
    return ".".join(trail[:2])


def unknown_setting(name: str, where: str) -> Fault:
    """What to say of a setting that does not exist: the legal ones near it, and the likeliest."""
    known = setting_names()
    near = ELSEWHERE.get(name.rsplit(".", 1)[-1].lower(), "") or nearest(name, known)
    if not near:
        last = name.rsplit(".", 1)[-1]
        near = next((setting for setting in known if setting.rsplit(".", 1)[-1] == last), "")
    if not near:
        near = nearest(name.rsplit(".", 1)[-1], [setting.rsplit(".", 1)[-1] for setting in known])
        near = next((setting for setting in known if near and setting.endswith(f".{near}")), "")
    part = name.split(".")[0]
    legal = ", ".join(setting for setting in known if setting.startswith(f"{part}."))
    legal = legal or ", ".join(dict.fromkeys(setting.split(".")[0] for setting in known))
    hint = f"Did you mean '{near}'?" if near else ""
    return Fault(f"there is no setting '{name}'", where=where, legal=legal, hint=hint)


def _fault(name: str, problem: Any, where: str) -> Fault:  # noqa: ANN401 - pydantic's own record
    if problem["type"] == "extra_forbidden":
        return unknown_setting(name, where)
    said = _plain(problem)
    value = problem.get("input")
    shown = "" if isinstance(value, dict) else f" is {value!r}"
    return Fault(f"{name}{shown}", where=where, legal=said)


def _plain(problem: Any) -> str:  # noqa: ANN401
    """pydantic's message as the legal range in words."""
    context = problem.get("ctx", {})
    kind = problem["type"]
    words = {
        "greater_than": "more than {gt}",
        "greater_than_equal": "at least {ge}",
        "less_than": "less than {lt}",
        "less_than_equal": "at most {le}",
        "multiple_of": "a multiple of {multiple_of}",
        "literal_error": "{expected}",
        "finite_number": "a finite number",
        "bool_parsing": "true or false",
        "bool_type": "true or false",
        "string_type": "a text in quotes",
        "model_type": "a table of settings",
    }
    if kind in words:
        return words[kind].format(**context)
    if kind.startswith("int"):
        return "a whole number"
    if kind.startswith("float"):
        return "a number"
    return str(problem["msg"]).lower()
