"""A recipe's text: every fault at once with its place, overrides, and there and back."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from babysit.errors import UserError
from babysit.models import MODELS, shape_of
from babysit.models.traits import Traits
from babysit.recipe import Override, Recipe, parse, read_resolved, render
from babysit.recipe.schema import setting_names as names_of_settings
from babysit.training import resolve

FAULTY = """\
seed = -1
colour = "red"

[optim]
lr = "fast"
momentun = 0.9

[train]
epochs = 0
precision = "float16"

[model]
name = "quikc"
width = 20

[moddel]
name = "quick"
"""

NORMALISED = Traits(normalised=True, convolutions=5, layers=6, inputs=3072)


def test_all_faults_come_at_once_each_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text(FAULTY, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        resolve.check(parse(path, [Override.from_text("optim.batchsize=8"), Override.from_text("augment.crop=-1")]))
    faults = {fault.where: fault for fault in caught.value.faults}
    expected = [1, 2, 5, 6, 9, 10, 13, 14, 16]
    assert set(faults) == {
        *(f"{path}:{line}" for line in expected),
        "--set optim.batchsize=8",
        "--set augment.crop=-1",
    }
    assert len(caught.value.faults) == len(faults) == 11
    assert faults[f"{path}:1"].text().endswith("seed is -1. Legal: at least 0.")
    assert "optim.momentum" in faults[f"{path}:6"].hint
    assert "quick" in faults[f"{path}:13"].hint
    assert "optim.batch_size" in faults["--set optim.batchsize=8"].hint
    assert "multiple of 16" in faults[f"{path}:14"].legal
    assert "bfloat16" in faults[f"{path}:10"].legal


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("optim.lrr", "optim.lr"),
        ("lr", "optim.lr"),
        ("opt.lr", "optim.lr"),
        ("train.epoch", "train.epochs"),
        ("sed", "seed"),
    ],
)
def test_a_misspelt_setting_is_told_the_nearest(written: str, meant: str) -> None:
    (fault,) = parse(None, [Override.from_text(f"{written}=1")]).faults
    assert fault.hint == f"Did you mean '{meant}'?" and written in fault.what


def test_overrides_win_over_the_file_and_later_over_earlier(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("[optim]\nlr = 0.5\nmomentum = 0.5\n", encoding="utf-8")
    parsed = parse(path, [Override.from_text("optim.lr=0.25"), Override.from_text("optim.lr=1e-2")])
    assert parsed.faults == () and parsed.recipe.optim.lr == 0.01 and parsed.recipe.optim.momentum == 0.5
    assert parsed.places["optim.lr"] == "--set optim.lr=1e-2" and parsed.places["optim.momentum"] == f"{path}:3"


@pytest.mark.parametrize("text", ["optim.lr", "=3", "  =3", ""])
def test_what_is_not_a_setting_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="key=value"):
        Override.from_text(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a=1", 1),
        ("a=1.5", 1.5),
        ("a=true", True),
        ("a=quick", "quick"),
        ('a="x=y"', "x=y"),
        ("a=x=y", "x=y"),
        ("a=[1, 2]", [1, 2]),
    ],
)
def test_an_overrides_value_is_toml_or_a_text(text: str, value: object) -> None:
    assert Override.from_text(text).value == value


@pytest.mark.parametrize("text", ["optim.lr = 0.1 0.2", "[optim", "\x00"])
def test_what_is_not_toml_is_said_with_the_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match="not TOML") as caught:
        parse(path)
    assert str(path) in str(caught.value)


def test_a_recipe_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="No such file"):
        parse(tmp_path / "none.toml")
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="UTF-8"):
        parse(tmp_path / "b.toml")


@pytest.mark.parametrize(
    "text", ["optim = 3", "[[optim]]\nlr = 1", "optim.lr = nan", "seed = 1.5", "[train]\ncorrections = [[1]]"]
)
def test_a_value_of_the_wrong_shape_is_one_fault_and_no_crash(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    parsed = parse(path)
    assert parsed.faults and all(fault.where.startswith(str(path)) for fault in parsed.faults)
    assert parsed.recipe == Recipe()


def test_an_override_into_a_faulty_table_is_a_fault_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("optim = 3\n", encoding="utf-8")
    assert parse(path, [Override.from_text("optim.lr=0.1")]).faults


def test_a_recipe_is_closed_and_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Recipe().seed = 3
    with pytest.raises(ValueError, match="extra"):
        Recipe.model_validate({"optim": {"rate": 3}})


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
FINITE = st.floats(0, 1e6, allow_nan=False, allow_infinity=False)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "data.source": TEXTS,
        "data.size": st.integers(4, 1024),
        "data.resize": st.sampled_from(["pad", "crop", "squash"]),
        "data.validation": st.floats(0.01, 0.89),
        "augment.crop": st.integers(0, 512),
        "augment.flip": st.sampled_from(["random", "none"]),
        "model.name": TEXTS,
        "model.width": st.integers(1, 64).map(lambda number: 16 * number),
        "regularize.l2": FINITE,
        "regularize.biases": st.booleans(),
        "optim.lr": FINITE,
        "optim.momentum": st.floats(0, 0.999),
        "optim.batch_size": st.integers(1, 65536),
        "schedule.warmup": st.floats(0, 0.99),
        "train.steps": st.integers(1, 10**9),
        "train.corrections": st.lists(st.tuples(st.integers(0, 999), st.integers(1, 999)), max_size=4).map(tuple),
        "seed": st.integers(0, 2**63 - 1),
    },
)


NOTES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)


@given(CHANGES, st.dictionaries(st.sampled_from(names_of_settings()), NOTES, max_size=4))
def test_what_is_rendered_is_read_back_equal(tmp_path_factory, changes: dict, notes: dict) -> None:
    recipe = Recipe().replace(changes)
    path = tmp_path_factory.mktemp("recipe") / "recipe.toml"
    path.write_text(render(recipe, notes), encoding="utf-8", newline="")
    assert read_resolved(path) == recipe


def test_every_setting_is_rendered_or_by_rule() -> None:
    text = render(Recipe())
    assert (
        "\n[optim]\n" in text
        and "momentum = 0.9" in text
        and "lr" not in text.split("[optim]")[1].split("[schedule]")[0]
    )
    assert len(names_of_settings()) == len(set(names_of_settings())) > 20


def test_a_length_given_twice_names_both_places() -> None:
    with pytest.raises(UserError, match=r"--set train\.epochs=3, --set train.steps=4"):
        resolve.check(parse(None, [Override.from_text("train.epochs=3"), Override.from_text("train.steps=4")]))


@pytest.mark.parametrize("text", ["[[0, 9], [5, 8]]", "[[1, 8]]", "[[0, 9], [5, 7], [5, 8]]"])
def test_corrections_that_are_no_knots_are_refused(text: str) -> None:
    overrides = [Override.from_text("train.steps=9"), Override.from_text(f"train.corrections={text}")]
    with pytest.raises(UserError, match=r"train\.corrections does not fit"):
        resolve.check(parse(None, overrides))


def test_what_is_decided_by_rule_is_written_down_with_its_reason() -> None:
    sized, reasons = resolve.choose_size(Recipe(), [30, 40, 35, 200, 31])
    assert sized.data.size == 32 and "35" in reasons["data.size"]
    filled, more = resolve.fill(sized, resolve.Facts(training_images=1000, flips=False, network=NORMALISED))
    assert filled.optim.batch_size == 32 and filled.augment.flip == "none" and filled.train.epochs is not None
    assert set(more) >= {"optim.lr", "optim.batch_size", "augment.crop", "augment.flip", "model.width", "train.epochs"}
    assert resolve.fill(filled, resolve.Facts(7, True, NORMALISED))[0].optim.lr == filled.optim.lr, (
        "what is set is not decided again"
    )
    assert resolve.choose_size(Recipe().replace({"data.size": 9}), [500])[0].data.size == 9


def test_a_network_without_normalisation_gets_a_smaller_rate() -> None:
    networks = {
        0.3: NORMALISED,
        0.3 - 1e-9: Traits(normalised=True, convolutions=7, layers=8, inputs=49152),
        0.1: Traits(normalised=False, convolutions=6, layers=7, inputs=192),
        0.1 + 1e-9: Traits(normalised=True, convolutions=20, layers=21, inputs=192),
        0.02: Traits(normalised=False, convolutions=8, layers=11, inputs=192),
        0.2 * 100 / 3072: Traits(normalised=False, convolutions=0, layers=1, inputs=3072),
    }
    recipe = Recipe().replace({"data.size": 32, "optim.batch_size": 256})
    for rate, network in networks.items():
        filled, reasons = resolve.fill(recipe, resolve.Facts(training_images=1000, flips=False, network=network))
        assert filled.optim.lr == pytest.approx(rate, rel=1e-3) and "batch size" in reasons["optim.lr"]
        adam, _ = resolve.fill(
            recipe.replace({"optim.kind": "adam"}), resolve.Facts(training_images=1000, flips=False, network=network)
        )
        assert adam.optim.lr == pytest.approx(0.002), "Adam divides by the gradient's own scale"


@pytest.mark.parametrize(
    ("model", "side", "size", "times"),
    [
        ("alexnet", 8, 8, 8),
        ("vgg16", 8, 8, 4),
        ("googlenet-bn", 8, 8, 2),
        ("alexnet", 13, 12, 6),
        ("alexnet", 100, 96, None),
        ("resnet18", 8, 8, None),
    ],
)
def test_images_are_enlarged_as_the_network_needs(model: str, side: int, size: int, times: int | None) -> None:
    asked = Recipe().replace({"model.name": model})
    sized, reasons = resolve.choose_size(asked, [side] * 3)
    assert (sized.data.size, sized.model.enlarge) == (size, times)
    assert ("model.enlarge" in reasons) == (times is not None)
    assert shape_of(sized, 10).size == size * (times or 1) >= MODELS[model].smallest
    again, told = resolve.choose_size(sized, [side] * 3)
    assert again == sized and told == {}, "a resumed run decides nothing again"
    given, told = resolve.choose_size(asked.replace({"data.size": 80}), [80] * 3)
    assert given.model.enlarge is None and "model.enlarge" not in told
    assert resolve.choose_size(asked.replace({"model.enlarge": 9}), [side] * 3)[0].model.enlarge == 9


@pytest.mark.parametrize(
    ("settings", "sides", "crop"),
    [
        ({"data.size": 64}, [8, 8, 8], 1),
        ({"data.size": 32}, [28, 28, 28], 3),
        ({"data.size": 32}, [40, 50, 60], None),
        ({"data.size": 64, "data.resize": "squash"}, [8, 8, 8], 1),
        ({"data.size": 64, "augment.crop": 5}, [8, 8, 8], 5),
        ({"data.size": 64, "augment.resized_crop": 0.5}, [8, 8, 8], 0),
        ({}, [8, 8, 8], None),
    ],
)
def test_images_on_a_larger_canvas_are_shifted_by_their_own_size(
    settings: dict[str, object], sides: list[int], crop: int | None
) -> None:
    sized, reasons = resolve.choose_size(Recipe().replace(settings), sides)
    assert sized.augment.crop == crop
    assert ("augment.crop" in reasons) == (crop is not None and "augment.crop" not in settings)
    filled, _ = resolve.fill(sized, resolve.Facts(training_images=1000, flips=False, network=NORMALISED))
    assert crop is None or filled.augment.crop == crop


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("optim.learning_rate", "optim.lr"),
        ("optim.nesterov", "optim.kind"),
        ("weight_decay", "regularize.decay"),
        ("pretrained", "model.weights"),
    ],
)
def test_names_that_other_programs_use_lead_to_ours(written: str, meant: str) -> None:
    faults = parse(None, [Override.from_text(f"{written}=0.1")]).faults
    assert [fault.hint for fault in faults] == [f"Did you mean '{meant}'?"]
    assert meant in names_of_settings()
