"""9. Mean image, PCA and whitening as pictures.

The same images as a network sees them under each preprocessing, fitted on the training part alone. Nothing is lost by
decorrelating or whitening, but only ZCA, which turns the result back, leaves something to look at.
"""

from __future__ import annotations

import sys

import numpy as np

from babysit.data.batches import Batches
from babysit.figures.charts import Axes, Color, Line
from babysit.figures.panels import charted, pictured
from babysit.figures.sheets import sheet
from lecture import ALONE, Page, points, run, stretched

KINDS: dict[str, Color] = {"mean-image": "soft", "pca": "one", "pca-whiten": "two", "zca": "three"}
SHOWN, EPSILON = 5, 10.0


def seen(part: Batches) -> np.ndarray:
    """All images of a part as the network sees them, shape (n, 3, side, side)."""
    return np.concatenate([images.float().cpu().numpy() for images, _ in part.plain(500)])


def main(page: Page) -> None:
    """Fits each and looks."""
    inputs, fitted = {}, {}
    for kind in KINDS:
        whitens = {"preprocess.epsilon": EPSILON} if kind in ("pca-whiten", "zca") else {"preprocess.divisor": 1.0}
        settings = {**ALONE, **whitens, "preprocess.kind": kind, "model.name": "linear", "optim.lr": 0.01}
        session = page.session(settings, training=page.choose(5000, None), validation=500)
        assert isinstance(session.training, Batches)
        inputs[kind], fitted[kind] = seen(session.training), session.training.statistics
        page.say(f"{kind}: fitted on {len(session.training):,} images")
    mean, matrix = fitted["pca"].mean, fitted["pca"].matrix
    assert mean is not None
    assert matrix is not None
    side = mean.shape[0]
    flat = {kind: images.reshape(len(images), -1).astype(np.float64) for kind, images in inputs.items()}
    variances = {kind: np.sort(values.var(axis=0))[::-1] for kind, values in flat.items()}
    shares = np.cumsum(variances["pca"]) / variances["pca"].sum()
    top = np.corrcoef(flat["pca"][:, np.argsort(-flat["pca"].var(axis=0))[:20]].T) - np.eye(20)
    varied = flat["mean-image"][:, flat["mean-image"].std(axis=0) > 10][:, :20]
    before = np.corrcoef(varied.T) - np.eye(20)
    like = {
        kind: np.mean(
            [
                np.corrcoef(one, other)[0, 1]
                for one, other in zip(flat[kind][:200], flat["mean-image"][:200], strict=True)
            ]
        )
        for kind in KINDS
    }
    half = int(np.searchsorted(shares, 0.9)) + 1

    page.line(
        "largest mean of an input, pixel values of 255",
        "0",
        f"{max(abs(values.mean(axis=0)).max() for values in flat.values()):.1e}",
    )
    page.line("mean correlation of 20 neighbouring inputs", "", f"{np.abs(before).sum() / 380:.3f}")
    page.line("the same of the first 20 directions of PCA", "0 (decorrelated)", f"{np.abs(top).sum() / 380:.1e}")
    page.line("directions that hold 90 % of the variance", "", f"{half} of {len(shares):,}")
    page.line(
        "whitened: largest and median variance",
        "1 (white)",
        f"{variances['pca-whiten'][0]:.3f}, {np.median(variances['pca-whiten']):.3f}",
    )
    page.line("likeness to the image: PCA-whitened, ZCA", "", f"{like['pca-whiten']:.2f}, {like['zca']:.2f}")
    shown_are = np.linspace(0, len(flat["zca"]) - 1, SHOWN).astype(int)
    originals = inputs["mean-image"][shown_are] + mean.transpose(2, 0, 1)
    scale, large = page.choose(2, 6), 33
    shown = {
        "Images": originals,
        "Minus the mean image": inputs["mean-image"][shown_are],
        "ZCA-whitened": inputs["zca"][shown_are],
    }
    panels = [
        pictured(name, sheet(stretched(images), SHOWN), scale=scale, side=large) for name, images in shown.items()
    ]
    directions = matrix[:SHOWN].reshape(-1, side, side, 3).transpose(0, 3, 1, 2)
    panels += [
        pictured("The mean image", sheet(stretched(mean.transpose(2, 0, 1)[None]), 1), scale=scale, side=large),
        pictured("The first directions of PCA", sheet(stretched(directions), SHOWN), scale=scale, side=large),
        charted(
            "Variance of each input, sorted",
            [
                Line(
                    kind,
                    *points(np.log10(np.maximum(variances[kind], 1e-3))),
                    color,
                    "dashed" if kind == "zca" else "line",
                )
                for kind, color in KINDS.items()
            ],
            Axes("input", "log10 of the variance", width=420),
        ),
    ]
    page.figure(panels, columns=3)
    page.claim(np.abs(top).max() < 1e-3, "PCA's directions are uncorrelated")
    page.claim(
        variances["pca-whiten"][0] < 1.001 and variances["pca-whiten"][half // 2] > 0.9,
        "whitening gives them the variance 1, less where there is little but noise",
    )
    page.claim(like["zca"] > like["pca-whiten"] + 0.2, "ZCA leaves an image, PCA-whitening does not")


if __name__ == "__main__":
    sys.exit(run(main, __file__, __doc__))
