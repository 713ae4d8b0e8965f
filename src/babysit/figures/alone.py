"""A chart as a file of its own: the page's style is written into it."""

from __future__ import annotations

STYLE = """
svg { --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --one: #0072b2; --two: #d55e00; --three: #007a59; background: #ffffff; }
@media screen and (prefers-color-scheme: dark) {
  svg { --ink: #e6edf3; --soft: #9aa4af; --line: #373e47; --one: #56b4e9; --two: #e69f00; --three: #2fbf9b; background: #0f1318; }
}
svg svg { background: none; }
text { fill: var(--soft); font: 12px system-ui, sans-serif; } .name, .legend text { fill: var(--ink); }
.ticks path { stroke: var(--line); stroke-width: 1; opacity: .6; fill: none; } .axis { stroke: var(--soft); fill: none; } .ground { fill: transparent; }
.curve { fill: none; stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
.curve.one { stroke: var(--one); } .curve.two { stroke: var(--two); } .curve.three { stroke: var(--three); } .curve.soft { stroke: var(--soft); }
.curve.four { stroke: #cc79a7; } .curve.five { stroke: #b59a00; } .curve.faint { stroke-width: 1; opacity: .45; }
.curve.dashed { stroke-dasharray: 5 5; stroke-width: 1.5; } .curve.points, .curve.few { stroke-width: 7; } .band { fill: var(--soft); opacity: .2; }
"""


def alone(drawn: str) -> str:
    """A chart's SVG text as a whole file, which any browser shows.

    >>> alone('<svg class="chart"></svg>').splitlines()[0]
    '<svg xmlns="http://www.w3.org/2000/svg" class="chart"><style>'
    """
    head, rest = drawn.split(">", 1)
    named = head.replace("<svg", '<svg xmlns="http://www.w3.org/2000/svg"', 1)
    return f"{named}><style>{STYLE}</style>{rest}\n"
