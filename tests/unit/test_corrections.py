"""Lists of exclusions and of new labels: what they change, what they say, and that a run keeps them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from babysit.data.catalog import Item, catalog_of
from babysit.data.corrections import by_content, by_path, read_lists
from babysit.errors import UserError
from babysit.names import table_text


def catalog_with(counts: dict[str, int], parts=("",)):
    items = [
        Item(f"{label}/{number:03d}.png", label, parts[number % len(parts)], "s")
        for label, count in counts.items()
        for number in range(count)
    ]
    return catalog_of("photos", items, lambda name: name.encode())


@pytest.fixture
def lists(tmp_path: Path):
    """Writes the two lists, from rows or as text, and reads them."""

    def write(exclude=None, relabel=None):
        paths = []
        for name, rows in (("exclude", exclude), ("relabel", relabel)):
            if rows is not None:
                text = rows if isinstance(rows, str) else table_text(rows)
                (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
            paths.append(str(tmp_path / f"{name}.csv") if rows is not None else None)
        return read_lists(*paths)

    return write


def held(catalog) -> dict[str, str]:
    assert [catalog.read(row) for row in range(len(catalog))] == [name.encode() for name in catalog.names]
    return {name: catalog.classes[label] for name, label in zip(catalog.names, catalog.labels, strict=True)}


@given(st.sets(st.integers(0, 29)), st.dictionaries(st.integers(0, 29), st.sampled_from(["a", "b", "c", "new"])))
@settings(max_examples=60)
def test_lists_do_what_a_dictionary_would(lists, excluded: set[int], changed: dict[int, str]) -> None:
    catalog = catalog_with({"a": 10, "b": 10, "c": 10}, parts=("train", "train", "val"))
    names = catalog.names
    parts = dict(zip(names, catalog.parts, strict=True))
    expected = {name: changed.get(row, name[0]) for row, name in enumerate(names) if row not in excluded}
    trained = {label for name, label in expected.items() if parts[name] == "train"}
    made = lists(
        [["path"], *([names[row]] for row in excluded)],
        [["label", "path"], *([label, names[row]] for row, label in changed.items())],
    )
    if len(trained) < 2 or set(expected.values()) - trained:
        with pytest.raises(UserError):
            by_path(catalog, made)
        return
    after = by_path(catalog, made)
    assert held(after) == expected and after.classes == tuple(sorted(trained))
    assert {name: parts[name] for name in after.names} == dict(zip(after.names, after.parts, strict=True))
    assert after.corrected == {"excluded": len(excluded), "relabelled": len(changed), "unmatched": 0}


def test_ways_to_write_a_path(lists) -> None:
    catalog = catalog_with({"a": 6, "b": 3, "=c": 3})
    text = "PATH\r\n./a/000.png\r\na\\001.png\r\nphotos/a/002.png\r\n'=c/000.png\r\n=c/001.png\r\n"
    after = by_path(catalog, lists(text))
    assert len(after) == 7 and after.corrected["excluded"] == 5 and after.corrected["unmatched"] == 0


def test_what_matches_nothing_is_said(lists) -> None:
    catalog = catalog_with({"a": 3, "b": 3})
    after = by_path(catalog, lists([["path"], *([f"x/{number}.png"] for number in range(7))]))
    assert held(after) == held(catalog) and after.corrected == {"excluded": 0, "relabelled": 0, "unmatched": 7}
    assert any("x/0.png, x/1.png, x/2.png, x/3.png, x/4.png and 2 more" in note for note in after.notes)


def test_new_and_vanished_classes_are_said(lists) -> None:
    catalog = catalog_with({"a": 2, "b": 2, "c": 1})
    after = by_path(catalog, lists(None, "path,label\na/000.png,zebra\nc/000.png,b\n"))
    assert after.classes == ("a", "b", "zebra")
    said = " | ".join(after.notes)
    assert "new by relabelling: zebra" in said and "no image any more: c" in said


def test_by_content_rows_stay_where_they_are(lists) -> None:
    catalog = catalog_with({"a": 3, "b": 3})
    hashes = ["h0", "h1", "h2", "h0", "h4", "h5"]
    made = lists("hash\nH1 \nnone\n", "label,hash,path\nnew,h5,\nb,h0,\n")
    assert by_path(catalog, made) is not catalog and held(by_path(catalog, made)) == held(catalog)
    after, kept = by_content(by_path(catalog, made), made, hashes)
    assert after.names == catalog.names and kept.tolist() == [True, False, True, True, True, True]
    assert [after.classes[label] for label in after.labels] == ["b", "a", "a", "b", "b", "new"]
    assert after.corrected == {"excluded": 1, "relabelled": 3, "unmatched": 1}


def test_a_line_of_a_split_file_counts_by_its_path(lists) -> None:
    catalog = catalog_with({"a": 3, "b": 3})
    made = lists("path,label,part,hash\na/000.png,a,train,h4\n")
    assert "a/000.png" not in by_path(catalog, made).names
    _, kept = by_content(catalog, made, ["h"] * 6)
    assert np.all(kept)


@pytest.mark.parametrize(
    ("exclude", "relabel", "said"),
    [
        ("a/000.png\n", None, "no column 'path' or 'hash'; there are: 'a/000.png'"),
        (None, "path\na/000.png\n", "no column 'label'; there are: 'path'"),
        (None, "label\na\n", "no column 'path' or 'hash'; there are: 'label'"),
        (None, "path,label\na/000.png,\n", "csv:2: the label is empty"),
        ("path,x\n,1\n", None, "csv:2: the path is empty"),
        (None, "path,label\na/0.png,b\na/0.png,c\n", "csv:3: a/0.png is relabelled twice, 'b' and 'c'"),
        ("path\n" + "".join(f"{c}/00{n}.png\n" for c in "ab" for n in range(3)), None, "leaves no image"),
        ("path\n" + "".join(f"a/00{n}.png\n" for n in range(3)), None, "only one class, 'b'"),
    ],
)
def test_bad_lists_get_a_sentence(lists, exclude, relabel, said: str) -> None:
    with pytest.raises(UserError, match=said):
        by_path(catalog_with({"a": 3, "b": 3}), lists(exclude, relabel))


def test_a_list_that_is_not_there() -> None:
    with pytest.raises(UserError, match=r"nowhere\.csv: the list cannot be read: No such file"):
        read_lists("nowhere.csv", None)


def test_a_run_keeps_its_lists_and_resumes_with_them(tmp_path: Path, make_folder, babysit) -> None:
    make_folder(tmp_path / "photos", {"cats": 30, "dogs": 30})
    exclude, relabel = tmp_path / "exclude.csv", tmp_path / "relabel.csv"
    exclude.write_text("path\ncats/000.png\ncats/001.png\nno.png\n", encoding="utf-8")
    relabel.write_text("path,label\ndogs/002.png,cats\n", encoding="utf-8")
    start = ("train", "photos", "--epochs", 2, "-o", "run", "--json", "--set", "train.threads=1")
    done = babysit(*start, "--exclude", exclude, "--relabel", relabel)
    assert done.returncode == 0, done.stderr
    assert "excluded by a list: 2 images" in done.stderr and "not there: no.png" in done.stderr
    run = tmp_path / "run"
    data = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["data"]
    assert data["corrected"] == {"excluded": 2, "relabelled": 1, "unmatched": 1}
    assert (run / "corrections" / "exclude.csv").read_bytes() == exclude.read_bytes()
    rows = (run / "split.csv").read_text(encoding="utf-8")
    assert "cats/000.png" not in rows and "dogs/002.png,cats," in rows
    exclude.unlink()
    relabel.unlink()
    for folder in (run / "checkpoints").glob("step-*"):  # as if it had been killed before its end
        manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
        (run / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}), encoding="utf-8")
        assert folder.is_dir()
    again = babysit("train", "photos", "-o", "run", "--resume", "--json")
    assert again.returncode == 0, again.stderr
    assert (run / "split.csv").read_text(encoding="utf-8") == rows
    repeated = babysit("train", "photos", "--recipe", "run/recipe.toml", "-o", "second", "--json")
    assert repeated.returncode == 0, repeated.stderr
    assert (tmp_path / "second" / "split.csv").read_text(encoding="utf-8") == rows
    (run / "manifest.json").write_text(json.dumps({**manifest, "status": "training"}), encoding="utf-8")
    exclude.write_text("path\ncats/009.png\n", encoding="utf-8")
    other = babysit("train", "photos", "-o", "run", "--resume", "--exclude", exclude)
    assert other.returncode == 1 and "--exclude is not as it was when the run began" in other.stderr
