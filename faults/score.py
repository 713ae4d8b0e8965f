"""Scores the rules, and the baselines, over the recorded corpus. Trains nothing.

python faults/score.py             # the figures
python faults/score.py --each      # and every program: what was said of it
python faults/score.py --page      # and docs/faults.md with its figures, written anew
python faults/score.py --held      # the part that is apart too, which has been looked at
python faults/score.py --beyond    # the part that is beyond too, which has been looked at
python faults/score.py --anew      # the part that is anew too, which nobody has looked at
python faults/score.py --outside   # the part from outside too, which nobody has looked at
python faults/score.py --last      # the last part too, which nobody has looked at
"""

from __future__ import annotations

import argparse

import measures
import page
from baselines import BASELINES
from judging import LOOKS, WORSE, Judged, Part, everything, parts_of, spelled


def main() -> None:
    """Prints the score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", action="store_true", help="every program")
    parser.add_argument("--page", action="store_true", help="write the page and its figures")
    parser.add_argument("--held", action="store_true", help="the part that is apart too")
    parser.add_argument("--beyond", action="store_true", help="the part that is beyond too")
    parser.add_argument("--anew", action="store_true", help="the part that is anew too: a look spends it")
    parser.add_argument("--outside", action="store_true", help="the part from outside too: a look spends it")
    parser.add_argument("--last", action="store_true", help="the last part too: a look spends it")
    asked = parser.parse_args()
    wanted = everything(held=asked.held, beyond=asked.beyond, anew=asked.anew, outside=asked.outside, last=asked.last)
    parts = parts_of(wanted)
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
