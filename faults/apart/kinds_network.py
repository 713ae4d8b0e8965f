"""Kinds of faults in the rate, its schedule, the initial weights and the activations, in cells of the part that is apart."""

from __future__ import annotations

from held.kind import Kind
from recipes import HIGH, LOW, SMALL

LARGE = ("initialisation-too-large", "exploding-gradients", "saturated-units")
TOO_FAST = ("schedule-too-fast", *LOW)
NEVER = ("schedule-never-moved", *LOW)

RATES: dict[str, Kind] = {
    "rate-high": Kind(
        HIGH,
        {"times": 400.0},
        {"times": 50.0},
        "branched-kingdoms+ voting-trio- steady-clocks+ sloped-mazes- broad-kingdoms-",
    ),
    "rate-high-adam": Kind(
        HIGH, {"times": 300.0}, {"times": 30.0}, "highway-parity- compact-weaves+ sloped-cluttered- patches-moons+"
    ),
    "rate-high-lion": Kind(
        HIGH,
        {"times": 200.0},
        {"times": 60.0},
        "weighed-mazes+ compact-beads-",
        also={"compact-beads": {"optimizer": "lion", "rate": 3e-4}},
    ),
    "rate-head-high": Kind(HIGH, {"head_times": 2000.0}, {"head_times": 300.0}, "weighed-rings+ voting-arrows-"),
    "momentum-high": Kind(
        HIGH, {"momentum": 0.9995}, {"momentum": 0.995}, "branched-weaves+ lenet-5-remainders- broad-beads-"
    ),
    "betas-swapped": Kind(
        (*HIGH, "too-noisy"),
        {"betas": (0.999, 0.9), "times": 3.0},
        {"betas": (0.999, 0.9)},
        "compact-weaves+ highway-beads-",
    ),
    "rate-low": Kind(
        LOW, {"times": 1e-4}, {"times": 4e-3}, "weighed-rings+ lenet-5-parity- voting-arrows+ critic-moons-"
    ),
    "rate-low-rmsprop": Kind(
        LOW,
        {"times": 1e-4},
        {"times": 3e-3},
        "efficient-arrows+ voting-arrows-",
        also={"voting-arrows": {"optimizer": "rmsprop", "rate": 1e-3}},
    ),
    "rate-body-low": Kind(
        ("layer-not-trained", *LOW),
        {"times": 1e-5, "head_times": 1e5},
        {"times": 1e-4, "head_times": 1e4},
        "voting-arrows+ steady-cluttered-",
    ),
    "schedule-per-batch": Kind(
        TOO_FAST,
        {"schedule": "per-batch-tenth", "per": "batch"},
        {"schedule": "gamma-per-batch", "per": "batch"},
        "branched-weaves+ response-clocks-",
    ),
    "schedule-drop": Kind(
        TOO_FAST,
        {"schedule": "milestones-batches", "per": "batch"},
        {"schedule": "over-by-tenth", "per": "batch"},
        "broad-beads+ sloped-cluttered-",
    ),
    "plateau-mode": Kind(TOO_FAST, {"fault": "mode-max"}, {"fault": "mode-max"}, "voting-arrows+ lenet-5-remainders-"),
    "schedule-never": Kind(
        NEVER, {"schedule": "floor-only"}, {"schedule": "never-begun"}, "steady-cluttered+ highway-beads-"
    ),
    "cycle-per-epoch": Kind(
        NEVER, {"fault": "cycle-per-epoch:1e5"}, {"fault": "cycle-per-epoch:5e3"}, "efficient-trio+ steady-clocks-"
    ),
    "warm-up-endless": Kind(
        (*NEVER, "stopped-too-early"),
        {"schedule": "still-warming", "per": "batch"},
        {"schedule": "warm-up-by-samples", "per": "batch"},
        "patches-moons+ compact-weaves-",
    ),
    "warm-up-overshoot": Kind(
        HIGH,
        {"schedule": "overshoots", "per": "batch", "times": 3.0},
        {"schedule": "overshoots", "per": "batch"},
        "highway-beads+ voting-trio-",
    ),
    "schedule-rising": Kind(
        HIGH,
        {"schedule": "grows-more", "per": "batch"},
        {"schedule": "grows", "per": "batch"},
        "steady-cluttered+ lenet-5-parity-",
    ),
    "schedule-backwards": Kind(
        (*NEVER, "stopped-too-early"),
        {"schedule": "backwards", "per": "batch", "times": 0.1},
        {"schedule": "backwards", "per": "batch", "times": 0.3},
        "highway-parity+ branched-weaves-",
    ),
    "schedule-wild": Kind(
        HIGH,
        {"schedule": "late-peak", "per": "batch"},
        {"schedule": "late-peak", "per": "batch", "times": 0.5},
        "highway-parity+ sloped-cluttered-",
    ),
    "epsilon-high": Kind(
        ("updates-too-small", *LOW), {"epsilon": 100.0}, {"epsilon": 2.0}, "sloped-cluttered+ response-clocks-"
    ),
}
"""In the rate and its schedule."""

NETWORKS: dict[str, Kind] = {
    "init-constant": Kind(
        ("symmetric-initialisation",),
        {"init": "constant:0.02"},
        {"init": "constant:0.1"},
        "highway-parity+ voting-arrows- patches-weaves+ lenet-5-remainders-",
    ),
    "init-small": Kind(
        SMALL,
        {"init": "normal:0.0003"},
        {"init": "scaled:0.05"},
        "sloped-mazes+ steady-clocks- voting-trio+ lenet-5-parity-",
    ),
    "init-large": Kind(
        LARGE, {"init": "normal:1.2"}, {"init": "scaled:7"}, "voting-trio+ sloped-cluttered- response-remainders+"
    ),
    "init-one-sided": Kind(
        LARGE, {"init": "one-sided:0.5"}, {"init": "one-sided:0.15"}, "steady-cluttered+ voting-arrows-"
    ),
    "head-large": Kind(
        ("initialisation-too-large", "initial-loss-wrong", "exploding-gradients"),
        {"init": "head:80"},
        {"init": "head:15"},
        "patches-weaves+ efficient-trio- weighed-rings+",
    ),
    "activation-sigmoid": Kind(
        ("vanishing-gradients", "saturated-units"),
        {"activation": "sigmoid", "norm": "none", "depth": 3},
        {"activation": "hard-sigmoid", "norm": "none", "depth": 3},
        "steady-clocks+ voting-trio-",
    ),
    "activation-softmax": Kind(
        ("vanishing-gradients", "saturated-units", "initialisation-too-small", "underfitting"),
        {"activation": "softmax"},
        {"activation": "softmax", "times": 2.0},
        "steady-clocks+ voting-arrows-",
    ),
    "dead": Kind(
        ("dead-units",),
        {"init": "bias:-9"},
        {"init": "bias:-4"},
        "voting-trio+ branched-kingdoms- response-remainders+",
    ),
    "saturated": Kind(
        ("saturated-units", "initialisation-too-large"),
        {"init": "scaled:50"},
        {"init": "scaled:12"},
        "lenet-5-remainders+ lenet-5-parity-",
    ),
    "gates-shut": Kind(
        ("layer-not-trained", "underfitting", "no-nonlinearity", "saturated-units", *SMALL),
        {"fault": "gates-shut:30"},
        {"fault": "gates-shut:12"},
        "highway-parity+ highway-beads-",
    ),
    "linear": Kind(
        ("no-nonlinearity", "underfitting"),
        {"activation": "none"},
        {"activation": "none", "wide": 14},
        "steady-clocks+ voting-arrows- sloped-mazes+ branched-weaves-",
    ),
    "norm-missing": Kind(
        (*HIGH, *SMALL, "dead-units", "initialisation-too-large"),
        {"norm": "none", "times": 10.0, "depth": 3},
        {"norm": "none", "depth": 4, "times": 4.0},
        "branched-weaves+ broad-beads-",
    ),
    "too-deep": Kind(
        SMALL, {"depth": 10, "init": "default"}, {"depth": 7, "init": "default"}, "voting-arrows+ lenet-5-parity-"
    ),
}
"""In the initial weights and the activations."""
