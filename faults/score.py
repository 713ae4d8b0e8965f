"""Scores the rules, and the baselines, over the recorded corpus. Trains nothing.

python faults/score.py             # the figures of all parts that are looked at
python faults/score.py apart anew  # of these parts
python faults/score.py all         # of the held-out part too: it has totals; --each spends it
python faults/score.py --each      # and every program: what was said of it
python faults/score.py --page all  # and docs/faults.md with its figures, written anew
"""

from __future__ import annotations

import argparse

import corpus
import measures
import page
from baselines import BASELINES
from judging import LOOKS, WORSE, Judged, Part, everything, parts_of, spelled


def main() -> None:
    """Prints the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="every program")
    parser.add_argument("--page", action="store_true", help="write the page and its figures")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"all, or some of {', '.join(corpus.PARTS)}")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - {"all", *corpus.PARTS}:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(corpus.PARTS)}")
    wanted = corpus.PARTS if "all" in asked.parts else asked.parts or corpus.LOOKED_AT
    parts = parts_of(everything(wanted))
    for part in parts:
        if asked.each:
            each(part)
        shown(part)
    if asked.page:
        page.write(parts)


def shown(part: Part) -> None:
    """The figures of a part."""
    ill, well = part.ill, part.well
    print(
        f"\n{part.name} part: {len(ill)} broken, {len(well)} healthy, {len(part.harmless)} faulty but harmless (less than {WORSE:.0%} "
        f"below their twin), {len(part.badly)} meant healthy that went badly, of which {sum(one.alarmed() for one in part.badly)} alarmed"
    )
    if not ill or not well:
        return
    early = measures.knowable(part)
    print(f"right cause first        {spelled(sum(one.first() for one in ill), len(ill))}")
    print(f"among the first three    {spelled(sum(one.among_three for one in ill), len(ill))}")
    print(f"broken, not alarmed      {spelled(sum(not one.alarmed_at_end for one in ill), len(ill))}")
    print(
        f"healthy alarmed          {spelled(sum(one.alarmed() for one in well), len(well))}, at any of {len(LOOKS)} looks"
    )
    print(f"healthy alarmed at end   {spelled(sum(one.alarmed_at_end for one in well), len(well))}")
    print(
        f"named first by           {measures.median_named(early):.0%} of the run in the median of {len(early)} that can be"
    )
    print(f"off by, how sure         {measures.error(measures.first_warnings(part)):.3f}")
    print(f"harmless: cause first    {spelled(sum(one.first() for one in part.harmless), len(part.harmless))}")
    for name in BASELINES:
        one = measures.against(name, part)
        print(
            f"{name:24s} {spelled(one.first, len(ill))}, healthy alarmed {spelled(one.false, len(well))}; ours, no more alarms: "
            f"{spelled(one.ours_first, len(ill))}"
        )


def each(part: Part) -> None:
    """One line for each program."""
    groups = (("broken", part.ill), ("harmless", part.harmless), ("healthy", part.well), ("badly", part.badly))
    for group, found in groups:
        for one in sorted(found, key=lambda one: (one.first(), not one.alarmed(), one.program.name)):
            print(_line(group, one))


def _line(group: str, one: Judged) -> str:
    mark = ("ok " if not one.alarmed() else "FALSE") if one.program.healthy else ("ok " if one.first() else "MISS")
    said = ", ".join(f"{d.rule}{'' if d.severity != 'note' else '*'} {d.sure:.2f}" for d in one.said[:4])
    early = (
        f" | at a look: {', '.join(sorted(one.alarms))}"
        if one.program.healthy
        else f" | named by {'never' if one.named is None else format(one.named, '.0%')}"
    )
    return f"{mark:5s} {group:8s} {one.program.name:52s} {one.accuracy:.2f} {said}{early}"


if __name__ == "__main__":
    main()
