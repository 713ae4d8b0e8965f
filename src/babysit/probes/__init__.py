"""The probes: what is measured while a network trains, and never changes it."""

from __future__ import annotations

from babysit.probes import activations, classes, direction, filters, forms, gradients, slices, start, system, weights
from babysit.probes.context import Probe
from babysit.probes.when import always, thinned
from babysit.tables import Table

PROBES: Table[Probe] = Table(
    "probe",
    {
        "start": Probe("start", "start", always, start.probe),
        "forms": Probe("epoch", "epoch", always, forms.probe),
        "gradient": Probe("step", "gradients", always, gradients.whole),
        "regularisation": Probe("step", "gradients", thinned, gradients.regularisation),
        "layer-gradients": Probe("layers", "gradients", thinned, gradients.by_layer),
        "activations": Probe("layers", "updated", thinned, activations.probe),
        "weights": Probe("layers", "updated", thinned, weights.probe),
        "direction": Probe("layers", "updated", thinned, direction.probe),
        "memory": Probe("layers", "updated", thinned, system.probe),
        "classes": Probe("epoch", "epoch", always, classes.probe),
        "order": Probe("epoch", "epoch", always, classes.order),
        "filters": Probe("epoch", "epoch", always, filters.probe),
        "peak": Probe("epoch", "epoch", always, system.peak),
        "memory-by-epoch": Probe("epoch", "epoch", always, system.probe),
        "slice": Probe("epoch", "epoch", always, slices.probe),
        "bending": Probe("epoch", "epoch", always, slices.bending),
        "slice-as-trained": Probe("epoch", "epoch", always, slices.training_mode),
        "slice-augmented": Probe("epoch", "epoch", always, slices.augmented),
    },
)
"""All that is measured, in the order in which it is. What a context does not hold is not measured."""
