"""Cells of the part that is apart: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from apart.setups import Apart

CELLS: dict[str, Apart] = {
    "efficient-trio": Apart("efficient", "trio", "onecycle", "adamw", 6e-3, decay=0.02, augment="mirror", epochs=7),
    "efficient-arrows": Apart(
        "efficient", "arrows", "averaged", "rmsprop", 2e-3, schedule="exponential", wide=6, epochs=8
    ),
    "branched-weaves": Apart("branched", "weaves", "tutorial", "momentum", 0.03, decay=1e-4, epochs=6),
    "branched-kingdoms": Apart(
        "branched", "kingdoms", "mixing", "momentum", 0.05, decay=5e-4, schedule="cosine", augment="crop-flip", epochs=8
    ),
    "highway-parity": Apart("highway", "parity", "phases", "adam", 2e-3, wide=8, epochs=6),
    "highway-beads": Apart("highway", "beads", "logged", "adamw", 3e-3, decay=0.01, schedule="cosine", epochs=8),
    "broad-beads": Apart("broad", "beads", "scaled", "nesterov", 0.05, decay=5e-4, schedule="cosine", epochs=7),
    "broad-kingdoms": Apart(
        "broad", "kingdoms", "restarting", "momentum", 0.05, decay=5e-4, dropout=0.2, augment="mirror", epochs=7
    ),
    "voting-arrows": Apart("voting", "arrows", "interval", "adam", 3e-3, init="he", dropout=0.1, epochs=10),
    "voting-trio": Apart(
        "voting", "trio", "tutorial", "momentum", 0.02, decay=1e-4, init="he", augment="mirror", epochs=9
    ),
    "response-remainders": Apart(
        "response", "remainders", "stopping", "momentum", 0.03, decay=1e-4, dropout=0.2, init="he", wide=5, epochs=8
    ),
    "response-clocks": Apart("response", "clocks", "phases", "adam", 2e-3, dropout=0.2, epochs=7, wide=5, batch=28),
    "weighed-rings": Apart(
        "weighed", "rings", "accumulated", "momentum", 0.05, batch=10, accumulate=2, epochs=14, augment="any-way"
    ),
    "weighed-mazes": Apart("weighed", "mazes", "averaged", "lion", 1e-3, decay=0.1, schedule="knee", epochs=11),
    "compact-weaves": Apart("compact", "weaves", "logged", "adamw", 2e-3, decay=0.05, schedule="warm-cosine", epochs=8),
    "compact-beads": Apart("compact", "beads", "onecycle", "adam", 3e-3, epochs=10),
    "patches-moons": Apart(
        "patches", "moons", "scaled", "adamw", 5e-3, decay=0.02, schedule="knee", batch=20, epochs=6
    ),
    "patches-weaves": Apart("patches", "weaves", "restarting", "adam", 3e-3, epochs=6),
    "handed-stamps": Apart("handed", "stamps", "phases", "momentum", 0.02, freeze=True, batch=12, epochs=15),
    "handed-rings": Apart("handed", "rings", "stopping", "adam", 2e-3, head_times=5.0, batch=25, epochs=8),
    "lenet-5-parity": Apart("lenet-5", "parity", "tutorial", "sgd", 0.1, batch=20, wide=6, epochs=10),
    "lenet-5-remainders": Apart("lenet-5", "remainders", "interval", "momentum", 0.02, wide=6, batch=25, epochs=14),
    "steady-cluttered": Apart(
        "steady", "cluttered", "tutorial", "adam", 2e-3, schedule="stairs", per="epoch", wide=12, epochs=9
    ),
    "steady-clocks": Apart("steady", "clocks", "onecycle", "momentum", 0.03, wide=12, epochs=12),
    "sloped-cluttered": Apart("sloped", "cluttered", "stopping", "adamw", 2e-3, decay=0.02, dropout=0.2, epochs=7),
    "sloped-mazes": Apart("sloped", "mazes", "accumulated", "sgd", 0.04, batch=8, accumulate=2, epochs=9),
    "critic-moons": Apart("critic", "moons", "interval", "adam", 4e-3, betas=(0.5, 0.999), batch=20, epochs=16),
    "critic-arrows": Apart("critic", "arrows", "mixing", "adam", 5e-3, schedule="linear", told="lio", epochs=16),
}
"""Network and data -> its healthy twin."""
