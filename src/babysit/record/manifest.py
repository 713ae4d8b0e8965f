"""The form of a run's manifest: what each field that is read again must be, so that one changed by hand is refused in words."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from babysit.errors import Fault, UserError

Count = Annotated[int, Field(ge=0)]


class Part(BaseModel):
    """What every part is: exact in its types, and open to names it does not know."""

    model_config = ConfigDict(strict=True, extra="allow")


class Finding(Part):
    """A finding of the audit."""

    name: str
    weight: str
    count: Count
    says: str
    advice: str


class LeftOut(Part):
    """A training image that is a held-out one too."""

    path: str
    same_as: str


class Audit(Part):
    """What the audit of the data found."""

    findings: list[Finding] = []
    left_out_of_training: list[LeftOut] = []
    exact_duplicates: Count = 0
    near_duplicate_pairs: Count = 0
    compared: Count = 0


class Unreadable(Part):
    """An image that cannot be read."""

    path: str
    reason: str


class Data(Part):
    """Summary of the data: the images of each class in each part, and what was left out."""

    source: str
    classes: list[str]
    counts: dict[str, list[Count]] = {}
    unreadable: list[Unreadable] = []
    moved: list[dict[str, str]] = []
    corrected: dict[str, int] = {}
    notes: list[str] = []
    audit: Audit = Audit()
    cache: str = ""

    @model_validator(mode="after")
    def _each_class_has_a_count(self) -> Data:
        for part, counts in self.counts.items():
            if len(counts) != len(self.classes):
                raise ValueError(f"{len(counts)} counts of {part} for {len(self.classes)} classes")
        return self


class Remedy(Part):
    """A remedy that was tried."""

    number: Count
    rule: str
    claim: str
    sure: float
    settings: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]]
    begin: Count
    at: Count
    compare: Count
    seconds: float
    state: Literal["beginning", "trial", "kept", "going on", "taking back", "bringing back", "taken back", "impossible"]
    common: Count
    only_before: Count
    only_after: Count
    p: float
    why: str
    over: bool = False
    ends: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None


class Suggested(Part):
    """The recipe that is suggested; empty when there is none."""

    rule: str = ""
    settings: dict[str, Annotated[list[Any], Field(min_length=2, max_length=2)]] = {}
    recipe: str = ""
    command: str = ""


class Form(Part):
    """The manifest."""

    format: int
    status: str = ""
    kind: str = ""
    ended: str = ""
    data: Data | None = None
    known: dict[str, Any] = {}
    checks: list[dict[str, Any]] = []
    reasons: dict[str, str] = {}
    asked: dict[str, Any] = {}
    corrections: dict[str, Any] = {}
    remedies: list[Remedy] = []
    suggested: Suggested = Suggested()
    epochs: Count = 0
    best_epoch: int = 0
    steps: Count = 0
    seconds: float = 0.0
    images_per_second: float = 0.0
    times: dict[str, float] = {}


def check_manifest(manifest: Mapping[str, Any], path: Path) -> None:
    """Refuses a manifest that is not as babysit writes it.

    Raises:
        UserError: with every field that is wrong, and what it must be.
    """
    try:
        Form.model_validate(manifest)
    except ValidationError as error:
        faults = [_fault(dict(one), path) for one in error.errors(include_url=False)]
        raise UserError.of(faults) from error


def _fault(said: Mapping[str, Any], path: Path) -> Fault:
    place = ".".join(str(one) for one in said["loc"])
    return Fault(f"{place} is {said['input']!r:.60}: {said['msg']}", str(path), "as babysit wrote it")
