"""Cells of the last part: a network, data and a loop, with choices that work. The healthy twins."""

from __future__ import annotations

from last.setups import Last

# fmt: off
CELLS: dict[str, Last] = {
    "twoconv-clothes": Last("twoconv", "clothes", "simple", "adam", 1e-3, epochs=6),
    "twoconv-numerals": Last("twoconv", "numerals", "trainerclass", "momentum", 0.02, epochs=8),
    "threeconv-figures": Last("threeconv", "figures", "functionalstep", "adam", 2e-3, epochs=9),
    "threeconv-foursome": Last("threeconv", "foursome", "perepoch", "momentum", 0.02, decay=5e-4, augment="mirror:0.5", epochs=8),
    "fourconv-fabrics": Last("fourconv", "fabrics", "withlogging", "momentum", 0.05, decay=1e-4, schedule="cosine", wide=8, epochs=4),
    "fourconv-views": Last("fourconv", "views", "brainfloat", "adam", 3e-3, wide=6, epochs=4),
    "fiveconv-views": Last("fiveconv", "views", "keepbest", "adam", 1e-3, epochs=8),
    "fiveconv-scanned": Last("fiveconv", "scanned", "simple", "momentum", 0.02, epochs=8),
    "lenetcaffe-scanned": Last("lenetcaffe", "scanned", "perepoch", "momentum", 0.02, decay=5e-4, wide=10, schedule="step:3:0.5", per="epoch", epochs=7),
    "lenetcaffe-tiles": Last("lenetcaffe", "tiles", "withlogging", "adam", 1e-3, epochs=8),
    "lenetmean-clothes": Last("lenetmean", "clothes", "keepbest", "sgd", 0.1, wide=6, epochs=8),
    "lenetmean-numerals": Last("lenetmean", "numerals", "functionalstep", "adam", 2e-3, epochs=8),
    "vggfour-figures": Last("vggfour", "figures", "trainerclass", "adam", 1e-3, dropout=0.3, epochs=9),
    "vggfour-tiles": Last("vggfour", "tiles", "simple", "rmsprop", 1e-3, wide=6, epochs=8),
    "vggsixbn-foursome": Last("vggsixbn", "foursome", "withlogging", "adamw", 2e-3, decay=0.01, schedule="onecycle", augment="mirror:0.5", epochs=4),
    "vggsixbn-numerals": Last("vggsixbn", "numerals", "perepoch", "nesterov", 0.05, wide=6, decay=1e-4, dropout=0.2, epochs=4),
    "resnetten-fivesome": Last("resnetten", "fivesome", "trainerclass", "momentum", 0.05, decay=5e-4, schedule="cosine", augment="flip-shift:2", epochs=8),
    "resnetten-clothes": Last("resnetten", "clothes", "brainfloat", "adamw", 3e-3, decay=0.01, wide=6, epochs=4),
    "dwnet-fabrics": Last("dwnet", "fabrics", "everyfew", "adam", 5e-3, batch=16, accumulate=2, epochs=7),
    "dwnet-figures": Last("dwnet", "figures", "functionalstep", "adamw", 8e-3, decay=0.01, schedule="warm-cosine", epochs=9),
    "funnel-scanned": Last("funnel", "scanned", "simple", "adam", 1e-3, epochs=12),
    "funnel-clothes": Last("funnel", "clothes", "everyfew", "momentum", 0.05, batch=16, accumulate=2, epochs=12),
    "finetuned-fruits": Last("finetuned", "fruits", "keepbest", "adam", 2e-3, batch=16, augment="flip-shift:2", epochs=12),
    "finetuned-foursome": Last("finetuned", "foursome", "perepoch", "momentum", 0.02, decay=1e-4, schedule="plateau", per="epoch", augment="mirror:0.5", epochs=7),
}
"""Network and data -> its healthy twin."""
# fmt: on
