"""Averages against plain loops in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from babysit.optim.averaging import AVERAGES


@pytest.mark.parametrize("kind", AVERAGES)
@pytest.mark.parametrize(("decay", "every"), [(0.5, 1), (0.05, 3), (0.999, 2)])
def test_an_average_by_hand(kind: str, decay: float, every: int) -> None:
    network = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).double()
    average = AVERAGES[kind](network, decay=decay, every=every)
    live = {name: value.clone().numpy() for name, value in network.state_dict().items()}
    slow = {name: value.copy() for name, value in live.items()}
    generator = np.random.default_rng(1)
    for step in range(1, 14):
        for name, value in network.state_dict().items():
            moved = generator.standard_normal(value.shape) if value.is_floating_point() else np.array(1)
            live[name] = live[name] + moved
            value += torch.from_numpy(np.asarray(moved))
        average.update()
        if step % every == 0:
            n = step // every - 1
            d = min(decay, (1 + n) / (10 + n))
            for name in slow:
                whole = live[name].dtype == np.int64
                slow[name] = live[name] if whole else d * slow[name] + (1 - d) * live[name]
                if kind == "lookahead":
                    live[name] = slow[name]
        with average.applied():
            for name, value in network.state_dict().items():
                assert np.allclose(value.numpy(), slow[name], rtol=1e-10, atol=1e-12)
        for name, value in network.state_dict().items():
            assert np.allclose(value.numpy(), live[name], rtol=1e-10, atol=1e-12)
