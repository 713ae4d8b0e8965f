"""A second author of Grad-CAM: for a linear classifier over mean maps, it is the class's weights times the maps."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from babysit.errors import UserError
from babysit.inference.explain import beside, grad_cam


def test_over_mean_maps_it_is_the_classs_weights() -> None:
    torch.manual_seed(0)
    convolution, linear = nn.Conv2d(3, 5, 3, padding=1), nn.Linear(5, 4)
    model = nn.Sequential(convolution, nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), linear).eval()
    images = torch.randn(6, 3, 8, 8)
    maps, named = grad_cam(model, images.clone())
    for place in range(6):
        activation = convolution(images[place : place + 1])[0].detach().numpy().astype(np.float64)
        weights = linear.weight.detach().numpy().astype(np.float64)[named[place]]
        # The gradient of mean(relu(A)) is 1/64 where A is positive.
        share = (activation > 0).mean(axis=(1, 2)) / 64
        slow = np.maximum(sum(weights[k] * share[k] * activation[k] for k in range(5)), 0)
        assert named[place] == int(model(images[place : place + 1]).argmax())
        assert np.allclose(maps[place], slow / max(slow.max(), 1e-12), atol=1e-4)
    assert not convolution._forward_hooks, "the hook is gone"


def test_a_network_without_a_convolution_is_said() -> None:
    with pytest.raises(UserError, match="no convolution"):
        grad_cam(nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.zeros(1, 3, 2, 2))


def test_the_veil_is_where_the_map_is() -> None:
    pixels = np.full((4, 4, 3), 100, np.uint8)
    where = np.zeros((4, 4), np.float32)
    where[0, 0] = 1
    picture = beside(pixels, where)
    assert picture.shape == (256, 512, 3) and (picture[:, :256] == 100).all()
    changed = (picture[:, 256:] != 100).any(axis=2)
    assert changed[:64, :64].all() and changed.sum() == 64 * 64
