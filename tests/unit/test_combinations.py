"""Settings that do not go together are all said at once."""

from __future__ import annotations

import pytest

from babysit import api
from babysit.errors import UserError
from babysit.models.traits import traits_of
from babysit.recipe import Parsed, Recipe, read_resolved
from babysit.training.resolve import Facts, check, fill
from babysit.training.setting_faults import USED_BY


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


def test_optimisers_refuse_what_they_do_not_use() -> None:
    wrong = {"optim.kind": "sgd", "optim.momentum": 0.5, "optim.beta2": 0.9, "optim.epsilon": 1e-6}
    with pytest.raises(UserError) as caught:
        check(Parsed(Recipe().replace({**wrong, "regularize.l1_form": "proximal"}), (), {}))
    said = str(caught.value)
    for part in ("optim.momentum is not used by sgd", "optim.beta2", "optim.epsilon", "no l1"):
        assert part in said


def test_one_image_a_step_is_refused_where_batches_are_normalised() -> None:
    for name in ("quick", "resnet18", "vgg11-bn"):
        with pytest.raises(UserError, match="batch normalisation"):
            check(Parsed(Recipe().replace({"optim.batch_size": 1, "model.name": name}), (), {}))
    for name in ("linear", "two-layer", "convnet"):
        check(Parsed(Recipe().replace({"optim.batch_size": 1, "model.name": name}), (), {}))


def test_a_fall_after_the_end_is_said_also_where_the_length_is_in_epochs() -> None:
    settings = {"schedule.kind": "step", "schedule.every": 500, "train.epochs": 2, "optim.batch_size": 64}
    with pytest.raises(UserError, match="not within the run's 32") as caught:
        api.dry_run("digits", settings=settings)
    assert "schedule.every" in str(caught.value)


def test_one_image_a_step_trains_a_network_that_normalises_nothing(tmp_path) -> None:
    settings = {"model.name": "linear", "optim.batch_size": 1, "train.steps": 3, "train.threads": 1}
    done = api.train("digits", out=tmp_path / "run", settings={**settings, "train.precision": "float32"}, anyway=True)
    assert done.steps == 3


@pytest.mark.parametrize(
    ("asked", "kind", "fixed"),
    [
        ({"data.size": 32}, "whitening", True),
        ({"data.size": 24}, "network", False),
        ({"data.size": 64}, "network", False),
        ({"data.size": 32, "preprocess.kind": "mean-image"}, "network", False),
        ({"data.size": 32, "model.name": "convnet"}, "network", False),
        ({"data.size": 32, "init.kind": "he"}, "he", False),
        ({"data.size": 32, "init.kind": "whitening"}, "whitening", False),
        ({"data.size": 8, "init.kind": "whitening", "init.fixed": True}, "whitening", True),
    ],
)
def test_where_the_first_layer_is_whitened_by_rule(asked: dict[str, object], kind: str, fixed: bool) -> None:
    recipe = Recipe().replace(asked)
    filled, reasons = fill(recipe, Facts(50_000, True, traits_of(recipe, 10)))
    assert (filled.init.kind, bool(filled.init.fixed)) == (kind, fixed)
    assert (filled.init.rest or "network") == "network"
    assert filled.optim.bias_rate == 1
    assert ("init.kind" in reasons) == ("init.kind" not in asked) and reasons.get("init.fixed", "by rule").startswith(
        "by rule"
    )


def test_settings_of_a_first_layer_left_to_the_rule_are_refused() -> None:
    with pytest.raises(UserError, match=r"init\.fixed is given, and init\.kind left to the rule"):
        check(Parsed(Recipe().replace({"init.fixed": True}), (), {}))


@pytest.mark.parametrize(
    "settings", [{}, {"data.size": 32}, {"init.kind": "whitening"}, {"init.kind": "he"}, {"optim.kind": "adam"}]
)
def test_a_resolved_recipe_can_be_asked_for_again(settings: dict[str, object], tmp_path) -> None:
    resolved = tmp_path / "recipe.toml"
    resolved.write_text(api.dry_run("digits", settings=settings), encoding="utf-8")
    again = tmp_path / "again.toml"
    again.write_text(api.dry_run("digits", recipe=resolved), encoding="utf-8")
    first, second = read_resolved(resolved), read_resolved(again)
    assert first.replace({"train.precision": "auto", "train.threads": None}) == second.replace(
        {"train.precision": "auto", "train.threads": None}
    )
