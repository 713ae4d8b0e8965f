"""Cells of the part from outside: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from outside.setups import Outside

# fmt: off
CELLS: dict[str, Outside] = {
    "mobilenetv1-fields": Outside("mobilenetv1", "fields", "counters", "adam", 2e-3, epochs=6),
    "mobilenetv1-weather": Outside("mobilenetv1", "weather", "fabric", "nesterov", 0.1, decay=1e-4, schedule="onecycle", epochs=8),
    "vgg11-street": Outside("vgg11", "street", "experiment", "momentum", 0.02, decay=5e-4, schedule="cosine", augment="mirror:0.5", epochs=6),
    "vgg11-tissue": Outside("vgg11", "tissue", "bfloat", "adam", 1e-3, epochs=4),
    "resnet20-traffic": Outside("resnet20", "traffic", "everyk", "momentum", 0.05, wide=4, decay=1e-4, schedule="milestones:4:5:0.1", per="epoch", epochs=6),
    "resnet20-tenfold": Outside("resnet20", "tenfold", "shadow", "adamw", 4e-3, wide=5, decay=0.01, schedule="warm-cosine", augment="flip-shift:2", batch=50, epochs=6),
    "convnet-runes": Outside("convnet", "runes", "compiled", "adam", 1e-3, dropout=0.5, epochs=9),
    "convnet-plankton": Outside("convnet", "plankton", "counters", "rmsprop", 1e-3, wide=12, dropout=0.3, epochs=8),
    "squeezenext-weather": Outside("squeezenext", "weather", "records", "adamw", 6e-3, decay=0.02, epochs=7),
    "squeezenext-tissue": Outside("squeezenext", "tissue", "gathered", "momentum", 0.05, batch=16, accumulate=2, decay=1e-4, epochs=4),
    "lenetbn-runes": Outside("lenetbn", "runes", "experiment", "sgd", 0.05, wide=6, epochs=9),
    "lenetbn-wafers": Outside("lenetbn", "wafers", "records", "adam", 1e-3, wide=6, batch=24, epochs=6),
    "efficientv2-traffic": Outside("efficientv2", "traffic", "fabric", "adamw", 4e-3, decay=0.02, schedule="onecycle", epochs=5),
    "efficientv2-spots": Outside("efficientv2", "spots", "shadow", "rmsprop", 2e-3, augment="mirror:0.5", epochs=5),
    "mlpdrop-runes": Outside("mlpdrop", "runes", "compiled", "adam", 1e-3, dropout=0.2, epochs=15),
    "mlpdrop-wafers": Outside("mlpdrop", "wafers", "everyk", "momentum", 0.01, dropout=0.2, epochs=14),
    "bigfilters-plankton": Outside("bigfilters", "plankton", "experiment", "momentum", 0.02, epochs=8),
    "bigfilters-wafers": Outside("bigfilters", "wafers", "bfloat", "adam", 1e-3, epochs=8),
    "coordnet-spots": Outside("coordnet", "spots", "counters", "adam", 2e-3, epochs=10),
    "coordnet-traffic": Outside("coordnet", "traffic", "gathered", "sgd", 0.1, batch=8, accumulate=4, schedule="exponential:0.9", per="epoch", epochs=9),
    "maxnet-weather": Outside("maxnet", "weather", "compiled", "momentum", 0.01, epochs=8),
    "maxnet-spots": Outside("maxnet", "spots", "everyk", "adam", 1e-3, epochs=7),
    "pretrained-mushrooms": Outside("pretrained", "mushrooms", "records", "adam", 1e-3, batch=16, augment="flip-shift:2", epochs=20),
    "pretrained-street": Outside("pretrained", "street", "fabric", "momentum", 0.01, decay=1e-4, schedule="plateau", per="epoch", augment="mirror:0.5", epochs=9),
}
"""Network and data -> its healthy twin."""
# fmt: on
