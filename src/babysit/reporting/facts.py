"""The tables of a report: classes, data and leaks, times, recipe with its reasons, environment, looks, how to use it."""

from __future__ import annotations

import json
from shlex import quote
from typing import Any

from babysit.metrics import ClassScore
from babysit.names import for_page
from babysit.record import ledger
from babysit.reporting.material import Material, json_of, text_of
from babysit.reporting.shell import bar, folded, table
from babysit.show import plural

OPEN_CLASSES, WORST_CLASSES = 40, 20
LISTED = 50
LEAST_SECONDS = 0.005
"""What took less would be shown as 0.00 s."""

SECTIONS = {
    "start": "starting Python and importing",
    "look": "listing the source",
    "decode": "decoding images",
    "audit": "looking for duplicates and leaks",
    "split": "cutting the split",
    "statistics": "statistics of the training part",
    "self-test": "self-test of the arithmetic",
    "build": "building the network, measuring its step",
    "check": "checks before training",
    "record": "writing the log",
    "batch": "batches: cutting, augmenting, normalising",
    "forward": "forward",
    "backward": "backward",
    "update": "update",
    "evaluate": "evaluating",
    "watch": "looking at layers, filters and a slice of the training images",
    "judge": "judging",
    "checkpoint": "checkpoints",
    "calibrate": "calibration, likeness, maps of the mistakes",
    "report": "this report",
    "other": "other",
}
"""Section of the clock -> what is done in it."""


def classes(material: Material) -> str:
    """Precision, recall and F1 of each class, and its images in each part; of many classes the worst first."""
    rows = material.scores.per_class()
    if len(rows) <= OPEN_CLASSES:
        return _class_table(material, list(enumerate(rows)))
    scored = [(place, row) for place, row in enumerate(rows) if row.count]
    worst = sorted(scored, key=lambda pair: (pair[1].f1, pair[0]))[:WORST_CLASSES]
    return f"<p>The {WORST_CLASSES} classes with the lowest F1:</p>{_class_table(material, worst)}" + folded(
        f"All {len(rows):,} classes", _class_table(material, list(enumerate(rows)))
    )


def _class_table(material: Material, rows: list[tuple[int, ClassScore]]) -> str:
    parts = material.counts
    head = ["class", "precision", "recall", "F1", "", *(f"{part} images" for part in parts)]
    return (
        table(
            head,
            [
                [
                    for_page(row.name),
                    *(f"{value:.3f}" if row.count else "-" for value in (row.precision, row.recall, row.f1)),
                    bar(row.f1) if row.count else "not scored",
                    *(f"{counts[place]:,}" for counts in parts.values()),
                ]
                for place, row in rows
            ],
        )
        + f'<p class="soft">On the {material.scores.count:,} {material.part} images; macro F1 {material.scores.macro_f1:.3f}, top-5 {material.scores.top5:.1%}.</p>'
    )


def times(material: Material) -> str:
    """Seconds and share by section, the largest first."""
    spent: dict[str, float] = material.manifest.get("times", {})
    if not spent:
        return "<p>The run kept no times.</p>"
    total = sum(spent.values()) or 1.0
    rows = [
        [for_page(SECTIONS.get(name, name)), f"{seconds:,.2f} s", f"{seconds / total:.1%}", bar(seconds / total)]
        for name, seconds in sorted(spent.items(), key=lambda pair: -pair[1])
        if seconds >= LEAST_SECONDS
    ]
    rate = material.manifest.get("images_per_second", 0.0)
    return (
        table(["part", "time", "share", ""], rows)
        + f'<p class="soft">{rate:,.0f} images a second from the first step to the last.</p>'
    )


def data(material: Material) -> str:
    """Where the data came from, how they were split, what the audit found."""
    about = material.manifest["data"]
    parts = ", ".join(f"{sum(counts):,} {part}" for part, counts in material.counts.items() if sum(counts))
    audit = about.get("audit") or {}
    found = "".join(
        f'<div class="finding {for_page(one["weight"])}"><strong>{for_page(one["says"])}.</strong><br>{for_page(one["advice"])}.</div>'
        for one in audit.get("findings", [])
    )
    sentence = (
        f"<p>{_compared(int(audit.get('compared', 0)))}: {plural(audit.get('exact_duplicates', 0), 'exact duplicate')}, "
        f"{plural(audit.get('near_duplicate_pairs', 0), 'pair')} of near duplicates.{'' if found else ' Nothing is wrong that it looks for.'}</p>"
        if audit
        else ""
    )
    broken = about.get("unreadable", [])
    return (
        f"<p>{for_page(str(about['source']))}: {parts} images of {len(material.classes):,} classes. Every image, its part and the hash of its "
        f"content are in <code>split.csv</code>.</p>{sentence}{found}"
        + _items([str(note) for note in about.get("notes", [])])
        + _listed(
            "Left out of training, since the same picture is held out",
            [f"{one['path']} (as {one['same_as']})" for one in audit.get("left_out_of_training", [])],
        )
        + _listed("Left out, unreadable", [f"{one['path']}: {one['reason']}" for one in broken])
    )


def _compared(count: int) -> str:
    if not count:
        return "The images are too small or too plain to be compared for near duplicates"
    return f"The audit compared {plural(count, 'image')} for near duplicates"


def _items(words: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{for_page(one)}</li>' for one in words)}</ul>" if words else ""


def _listed(title: str, words: list[str]) -> str:
    if not words:
        return ""
    more = f"<p>and {len(words) - LISTED:,} more, in manifest.json.</p>" if len(words) > LISTED else ""
    return f"<p>{title} ({len(words):,}):</p>{_items(words[:LISTED])}{more}"


def recipe(material: Material) -> str:
    """What was asked, what was chosen by rule and why, and the whole recipe."""
    asked: dict[str, Any] = material.manifest.get("asked", {})
    reasons: dict[str, str] = material.manifest.get("reasons", {})
    text = text_of(material.run.recipe)
    values = _values(text)
    chosen = [
        [f"<code>{for_page(name)}</code>", for_page(values.get(name, "")), for_page(why.removeprefix("by rule: "))]
        for name, why in reasons.items()
    ]
    said = ", ".join(f"<code>{for_page(f'{name} = {json.dumps(value)}')}</code>" for name, value in asked.items())
    if material.refit:
        asked_for = f"<p>Every setting is that of {for_page(material.refit.of)}, frozen; nothing was chosen anew.</p>"
    else:
        asked_for = f"<p>Asked for: {said}.</p>" if said else ""
    return (
        asked_for
        + (
            f"<p>Chosen by rule, from the data and this machine:</p>{table(['setting', 'value', 'why'], chosen, kind='words')}"
            if chosen
            else ""
        )
        + folded("The whole recipe (recipe.toml)", f"<pre>{for_page_lines(text)}</pre>")
    )


def for_page_lines(text: str) -> str:
    """`for_page` for a text of ours with lines."""
    return "\n".join(map(for_page, text.split("\n")))


def _values(text: str) -> dict[str, str]:
    """Dotted setting -> its value as TOML spells it, without the remark behind it."""
    found, part = {}, ""
    for line in text.splitlines():
        if line.startswith("["):
            part = line.strip("[]") + "."
        elif " = " in line:
            name, value = line.split(" = ", 1)
            found[part + name] = value.split("  # ")[0]
    return found


def environment(material: Material) -> str:
    """Versions and machine of each session."""
    kept = json_of(material.run.environment)
    sessions = kept.get("sessions", []) if isinstance(kept, dict) else []
    if not sessions:
        return "<p>environment.json cannot be read.</p>"
    names = list(dict.fromkeys(name for one in sessions for name in one))
    head = ["", *(("started" if not one.get("step") else f"resumed at step {one['step']:,}") for one in sessions)]
    return table(
        head,
        [[for_page(name), *(for_page(str(one.get(name, ""))) for one in sessions)] for name in names],
        kind="words",
    )


def looks(material: Material) -> str:
    """How often the test images were looked at, when, by which run, and what it means."""
    if material.looks is None:
        return "<p>The data have no test part.</p>"
    rows = [
        [
            str(number),
            for_page(one.date[:16].replace("T", " ")),
            for_page(one.run),
            for_page(one.view),
            "" if one.accuracy is None else f"{one.accuracy:.1%}",
            f"{one.count:,}" if one.count else "",
        ]
        for number, one in enumerate(material.looks.looks, start=1)
    ]
    listed = table(["look", "date (UTC)", "run", "view", "accuracy", "images"], rows, kind="words") if rows else ""
    return f"<p>{for_page(ledger.meaning(material.looks))}</p>{listed}"


def use(material: Material) -> str:
    """Three commands."""
    run = quote(str(material.run.path))
    test = f"babysit test {run}" + (" --again" if material.looks and len(material.looks) else "")
    third = (
        ["# the test images, counted", test]
        if material.looks is not None
        else ["# labels that are probably wrong", f"babysit suspects {run}"]
        if material.judged
        else []
    )
    python = f"import babysit; print(babysit.load({str(material.run.path)!r}).predict('picture.jpg'))"
    # Each remark above its command: a run's path may be long.
    lines = [
        "# name new images, with calibrated probabilities",
        f"babysit predict {run} FILES...",
        *third,
        "# name a picture in Python",
        f'python -c "{python}"',
    ]
    return f"<pre>{for_page_lines(chr(10).join(lines))}</pre>"
