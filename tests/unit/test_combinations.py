"""Settings that do not go together are all said at once."""

from __future__ import annotations

import pytest

from babysit.errors import UserError
from babysit.recipe import Parsed, Recipe
from babysit.training.resolve import USED_BY, check


def test_what_is_not_used_is_said_all_at_once() -> None:
    wrong = {"loss.margin": 2.0, "init.scale": 0.1, "train.average_decay": 0.9, "regularize.dropout_at": "conv"}
    wrong |= {"schedule.kind": "step", "schedule.every": 100, "train.steps": 100}
    with pytest.raises(UserError) as caught:
        check(Parsed(Recipe().replace(wrong), (), {}))
    said = str(caught.value)
    for part in ("loss.margin is not used by softmax", "init.scale", "average_decay", "dropout_at", "first fall"):
        assert part in said


def test_each_setting_is_used_by_kinds_it_names() -> None:
    values = {
        "loss.smoothing": 0.1,
        "init.distribution": "uniform",
        "init.fan": "out",
        "init.rest": "he",
        "init.fixed": True,
    }
    values |= {"train.average_every": 2, "schedule.every": 2}
    for setting, switch, kinds in USED_BY:
        for kind in kinds:
            check(Parsed(Recipe().replace({setting: values.get(setting, 0.5), switch: kind}), (), {}))


def test_images_cannot_grow_where_each_pixel_is_preprocessed_by_its_place() -> None:
    wrong = {"preprocess.kind": "mean-image", "train.progressive": 0.5}
    with pytest.raises(
        UserError, match=r"mean-image is fitted to every pixel's place.*train.progressive|train.progressive.*mean-image"
    ):
        check(Parsed(Recipe().replace(wrong), (), {}))
    check(Parsed(Recipe().replace({**wrong, "train.progressive": 1.0}), (), {}))
