"""7. Strength and hidden units on the two-dimensional toy.

Points in a plane, two classes, some on the wrong side. More hidden units bend the boundary around single points; more
regularisation straightens it again, and fresh points from the same source say which was right.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import nn

from babysit.checks.subject import Held
from babysit.figures.panels import Panel, pictured
from babysit.training.session import Session
from lecture import Page, follow, held_session, run

GRID, REACH = 110, 2.2
REGION, POINT = np.array([[205, 226, 240], [248, 221, 199]], np.uint8), np.array([[0, 80, 130], [190, 70, 0]], np.uint8)


def points_of(count: int, seed: int) -> Held:
    """Two crescents that reach into each other, with noise."""
    generator = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    angle = generator.uniform(0, np.pi, count)
    sign = 1 - 2 * labels
    places = np.stack([np.cos(angle) * sign + labels - 0.5, np.sin(angle) * sign + 0.4 * labels - 0.2], axis=1)
    places += generator.normal(0, 0.35, places.shape)
    return Held(torch.tensor(places, dtype=torch.float32)[:, :, None, None], torch.tensor(labels))


def trained(page: Page, hidden: int, strength: float) -> Session:
    """A network of that many hidden units, trained on 60 points."""
    part, fresh = points_of(60, 0), points_of(2000, 1)
    settings = {
        "optim.kind": "adam",
        "optim.lr": 0.02,
        "optim.batch_size": len(part),
        "train.steps": page.choose(2000, 600),
        "regularize.l2": strength,
    }
    torch.manual_seed(1)
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, hidden), nn.Tanh(), nn.Linear(hidden, 2))
    session = held_session(settings, model, part, fresh, classes=2)
    follow(page, session, f"{hidden} hidden units, strength {strength:g}", seen=0)
    return session


def right(session: Session, part: Held) -> float:
    """The share of points on their own class's side."""
    with torch.no_grad():
        return float((session.model(part.images).argmax(dim=1) == part.targets).float().mean())


def plane(session: Session) -> np.ndarray:
    """The class of every place of a grid, shape (grid, grid), upwards."""
    along = torch.linspace(-REACH, REACH, GRID)
    places = torch.cartesian_prod(along.flip(0), along).flip(1)
    with torch.no_grad():
        return session.model(places[:, :, None, None]).argmax(dim=1).reshape(GRID, GRID).cpu().numpy()


def boundary(classes: np.ndarray) -> float:
    """The boundary's length, about, in widths of the picture."""
    return float((np.diff(classes, axis=0) != 0).sum() + (np.diff(classes, axis=1) != 0).sum()) / GRID


def drawn(session: Session, heading: str) -> Panel:
    """The plane in two colours, with the points trained on."""
    pixels, part = REGION[plane(session)], session.training
    assert isinstance(part, Held)
    for (x, y), label in zip(part.images[:, :, 0, 0].cpu().numpy(), part.labels, strict=True):
        row, column = (round((1 + value / REACH) / 2 * (GRID - 1)) for value in (-y, x))
        pixels[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = POINT[label]
    return pictured(heading, pixels, scale=2)


def main(page: Page) -> None:
    """Three numbers of hidden units, then three strengths."""
    small, strengths, units = 0.0, (0.001, 0.01, 0.1), (2, 6, 40)
    by_units = {hidden: trained(page, hidden, small) for hidden in units}
    by_strength = {strength: trained(page, units[-1], strength) for strength in strengths}
    arms = [(f"{hidden} hidden units", one) for hidden, one in by_units.items()]
    arms += [(f"{units[-1]} units, strength {strength:g}", one) for strength, one in by_strength.items()]
    fits, fresh, lengths = {}, {}, {}
    for name, session in arms:
        assert isinstance(session.training, Held)
        assert isinstance(session.validation, Held)
        fits[name], fresh[name] = right(session, session.training), right(session, session.validation)
        lengths[name] = boundary(plane(session))
        page.line(
            name, "", f"training {fits[name]:.3f}, fresh points {fresh[name]:.3f}, boundary {lengths[name]:.1f} widths"
        )
    page.figure([drawn(session, name) for name, session in arms], columns=3)
    names = [name for name, _ in arms]
    fit, gap = [fits[name] for name in names[:3]], {name: fits[name] - fresh[name] for name in names}
    page.claim(fit == sorted(fit) and fit[0] < fit[-1], "more hidden units fit the points they are trained on better")
    page.claim(lengths[names[2]] > lengths[names[0]], "and their boundary is longer")
    page.claim(lengths[names[5]] < lengths[names[2]], "strength shortens the boundary again")
    page.claim(gap[names[5]] < gap[names[2]], "and closes the gap to fresh points")
    page.claim(
        max(fresh[name] for name in names[3:]) > fresh[names[2]], "some strength is better on fresh points than none"
    )


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
