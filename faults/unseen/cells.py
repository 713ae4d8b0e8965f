"""Cells of the unseen part: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from unseen.setups import Unseen

CELLS: dict[str, Unseen] = {
    "squeeze-flags": Unseen(
        "squeeze", "flags", "trainer", "nesterov", 0.05, decay=1e-4, schedule="cosine", wide=12, epochs=10
    ),
    "squeeze-outdoors": Unseen(
        "squeeze", "outdoors", "loader", "adamw", 5e-3, decay=0.02, schedule="one-cycle", augment="mirror", epochs=10
    ),
    "shuffle-waves": Unseen("shuffle", "waves", "tidy", "adam", 4e-3, schedule="inverse", epochs=6),
    "shuffle-stars": Unseen(
        "shuffle", "stars", "patience", "momentum", 0.05, decay=5e-4, schedule="cosine", per="epoch", epochs=8
    ),
    "mixer-quadrants": Unseen(
        "mixer", "quadrants", "generator", "adamw", 3e-3, decay=0.05, schedule="trapezium", depth=2, epochs=8
    ),
    "mixer-tinted": Unseen("mixer", "tinted", "trainer", "adam", 2e-3, depth=2, schedule="cosine", epochs=10),
    "strided-strokes": Unseen(
        "strided", "strokes", "tidy", "momentum", 0.03, decay=1e-4, init="he", wide=12, schedule="step", epochs=8
    ),
    "strided-clouds": Unseen(
        "strided",
        "clouds",
        "micro",
        "adam",
        3e-3,
        init="he",
        batch=16,
        accumulate=2,
        wide=12,
        schedule="thirds",
        epochs=8,
    ),
    "maxout-strokes": Unseen("maxout", "strokes", "gradients", "sgd", 0.05, decay=1e-4, batch=20, epochs=10),
    "maxout-quadrants": Unseen("maxout", "quadrants", "loader", "momentum", 0.01, dropout=0.2, batch=25, epochs=10),
    "smooth-faces": Unseen("smooth", "faces", "patience", "adam", 2e-3, schedule="step", batch=20, wide=12, epochs=16),
    "smooth-clouds": Unseen(
        "smooth", "clouds", "gradients", "adamw", 4e-3, decay=0.05, schedule="cosine", wide=12, epochs=7
    ),
    "tower-stars": Unseen(
        "tower", "stars", "halves", "nesterov", 0.03, decay=5e-4, dropout=0.2, schedule="cosine", epochs=5
    ),
    "tower-outdoors": Unseen("tower", "outdoors", "trainer", "adam", 2e-3, dropout=0.3, augment="mirror", epochs=7),
    "dilated-blocks": Unseen("dilated", "blocks", "generator", "adam", 4e-3, init="he", wide=8, depth=2, epochs=8),
    "dilated-strokes": Unseen(
        "dilated", "strokes", "gradients", "momentum", 0.03, schedule="linear", init="he", depth=2, epochs=8
    ),
    "gated-clouds": Unseen("gated", "clouds", "tidy", "rmsprop", 1e-3, depth=1, schedule="cosine", wide=8, epochs=7),
    "gated-stars": Unseen(
        "gated", "stars", "micro", "momentum", 0.05, batch=15, accumulate=2, depth=2, schedule="cosine", epochs=8
    ),
    "fire-waves": Unseen("fire", "waves", "halves", "adam", 3e-3, init="he", wide=16, schedule="cosine", epochs=9),
    "fire-flags": Unseen("fire", "flags", "loader", "adam", 3e-3, init="he", wide=16, schedule="trapezium", epochs=12),
    "attend-clouds": Unseen(
        "attend", "clouds", "halves", "adamw", 3e-3, decay=0.05, schedule="warm-cosine", depth=1, epochs=7
    ),
    "borrowed-faces": Unseen(
        "borrowed", "faces", "patience", "adam", 4e-3, schedule="cosine", batch=20, wide=10, epochs=14
    ),
    "borrowed-tinted": Unseen(
        "borrowed", "tinted", "generator", "adam", 3e-3, head_times=3.0, wide=10, schedule="cosine", epochs=8
    ),
}
"""Network and data -> its healthy twin."""
