"""Known: what a rule may know of the settings, each possibly unknown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from babysit.errors import Fault, UserError
from babysit.recipe import Recipe, setting_names

CLEARED = 64
"""Updates of somebody's own loop, after the first, at whose beginning it is looked whether gradients were cleared."""

FORMER = {"left": "uncleared"}
"""Names in older logs, and those of today."""

Count = Annotated[int, Field(ge=0)]
Size = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of a network: its dotted name and the name of its class, such as Conv2d."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Known:
    """The settings a rule may ask for; None is "unknown", as much is in somebody's own loop without a recipe.

    `learning_rate` the peak; `class_counts` images of each class in the training part; `planned_steps` as believed now;
    `momentum` the first moment's in the Adam family; `l2`, `decay`, `l1` strengths; `dropout` the probability of
    dropping; `augmented` whether training images are changed at random; `normalised` whether a layer has running
    statistics (batch normalisation), `norm_momentum` the least share of a batch's statistics that enters them, `evaluating` the
    share of the updates that were made in evaluation mode, `validated_training` of the validations' passes that were made in training mode, `uncleared` of the `CLEARED` after the first that began with the gradient of the
    one before; `activations` the class names of the
    activation functions that are layers of the network (others may be called as functions); `layers` all
    that have no layers inside, in order of depth; `listed` attributes that hold layers in a plain list, so that nothing trains them; `settings` of the resolved recipe by dotted name, None where there is
    no recipe: then advice speaks in lines of PyTorch; `rate_by_rule` the peak learning rate that a recipe of this network,
    optimiser and batch size would get by rule.

    >>> Known(learning_rate=0.1, layers=(Layer("stem", "Conv2d"),)) == Known.from_json(
    ...     Known(learning_rate=0.1, layers=(Layer("stem", "Conv2d"),)).as_json()
    ... )
    True
    """

    learning_rate: Size | None = None
    batch_size: Count | None = None
    classes: Count | None = None
    class_names: tuple[str, ...] | None = None
    class_counts: tuple[Count, ...] | None = None
    planned_steps: Count | None = None
    steps_per_epoch: Count | None = None
    schedule_kind: str | None = None
    optimizer_kind: str | None = None
    momentum: Size | None = None
    loss_kind: str | None = None
    l2: Size | None = None
    decay: Size | None = None
    l1: Size | None = None
    dropout: Size | None = None
    augmented: bool | None = None
    normalised: bool | None = None
    norm_momentum: Size | None = None
    evaluating: Size | None = None
    validated_training: Size | None = None
    uncleared: Size | None = None
    activations: tuple[str, ...] | None = None
    training_images: Count | None = None
    validation_images: Count | None = None
    layers: tuple[Layer, ...] | None = None
    listed: tuple[str, ...] | None = None
    settings: Mapping[str, object] | None = None
    rate_by_rule: Size | None = None

    @property
    def has_recipe(self) -> bool:
        """Whether advice can be given as a recipe setting."""
        return self.settings is not None

    def as_json(self) -> dict[str, Any]:
        """What is known, as plain JSON values; what is not is left out."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        if self.layers is not None:
            values["layers"] = [[one.name, one.kind] for one in self.layers]
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
            if value is not None
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any], where: str = "") -> Known:
        """From what `as_json` gave; names that a newer version added are passed over.

        Arguments:
            where: the file it is from.

        Raises:
            UserError: when a value cannot be what its name says.
        """
        known = {one.name for one in fields(cls)}
        given = {FORMER.get(name, name): one for name, one in value.items()}
        values: dict[str, Any] = {name: one for name, one in given.items() if name in known}
        try:
            if values.get("layers") is not None:
                values["layers"] = [{"name": name, "kind": kind} for name, kind in values["layers"]]
            return _form().validate_python(values)
        except ValidationError as error:
            faults = [
                Fault(f"known.{'.'.join(map(str, one['loc']))} is {one['input']!r:.60}: {one['msg']}", where)
                for one in error.errors()
            ]
            raise UserError.of(faults) from error
        except (TypeError, ValueError) as error:
            raise UserError(
                f"known.layers is {values['layers']!r:.60}", where=where, legal="pairs of a name and a kind"
            ) from error


@cache
def _form() -> TypeAdapter[Known]:
    return TypeAdapter(Known)


def known_by_recipe(
    recipe: Recipe, class_names: Sequence[str], *, counts: Sequence[int] | None, validation_images: int | None
) -> Known:
    """What a recipe says, and the numbers of its data; what only the network or the training can say stays unknown.

    Arguments:
        counts: training images of each class.
    """
    return Known(
        learning_rate=recipe.optim.lr,
        batch_size=recipe.optim.batch_size,
        classes=len(class_names) or None,
        class_names=tuple(class_names) or None,
        class_counts=None if counts is None else tuple(counts),
        planned_steps=recipe.train.steps,
        schedule_kind=recipe.schedule.kind,
        optimizer_kind=recipe.optim.kind,
        momentum=recipe.optim.momentum,
        loss_kind=recipe.loss.kind,
        l2=recipe.regularize.l2,
        decay=recipe.regularize.decay,
        l1=recipe.regularize.l1,
        training_images=None if counts is None else sum(counts),
        validation_images=validation_images,
        settings={name: _plain(recipe.get(name)) for name in setting_names()},
    )


def _plain(value: object) -> object:
    return [_plain(one) for one in value] if isinstance(value, tuple) else value
