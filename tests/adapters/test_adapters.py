"""The adapters against the real packages: the same bits with and without, and every update with its numbers."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from babysit.errors import UserError
from babysit.record.log import RunLog, read_log
from babysit.watching.adapters import for_lightning, for_skorch, for_transformers

pytestmark = [pytest.mark.adapters, pytest.mark.filterwarnings("ignore")]
CLASSES, BATCH, STEPS = 4, 16, 6


def data() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, CLASSES, (BATCH * STEPS,), generator=generator)
    return torch.randn(len(labels), 3, 8, 8, generator=generator) + labels[:, None, None, None], labels


def layers() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(216, CLASSES))


def bits(model: nn.Module) -> bytes:
    return b"".join(value.numpy().tobytes() for value in model.state_dict().values())


def log_of(run: Path) -> RunLog:
    assert not (run / "trouble.txt").exists(), (run / "trouble.txt").read_text()
    return read_log(run / "log.jsonl")


def check(log: RunLog, updates: int) -> None:
    assert log.series("loss").steps.tolist() == list(range(1, updates + 1))
    assert np.isfinite(log.series("gradient_norm").values).all() and log.series("gradient_norm").values.min() > 0
    assert log.series("accuracy").steps.tolist() == log.series("loss").steps.tolist()
    assert len(log.series("validation_loss")) == 2 and len(log.series("validation_accuracy")) == 2
    assert log.wheres("update_ratio") and log.wheres("activation_mean") and len(log.of("start")) == 1


def by_lightning(run: Path | None, *, accumulate: int = 1) -> nn.Module:
    lightning = importlib.import_module("lightning")
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data()), batch_size=BATCH)

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.layers(x)

        def training_step(self, batch, batch_idx):
            outputs = self(batch[0])
            return {"loss": F.cross_entropy(outputs, batch[1]), "logits": outputs.detach(), "targets": batch[1]}

        def validation_step(self, batch, batch_idx):
            outputs = self(batch[0])
            self.log("val_loss", F.cross_entropy(outputs, batch[1]))
            return {"logits": outputs, "targets": batch[1]}

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.05, momentum=0.9)

    torch.manual_seed(1)
    module = Module()
    trainer = lightning.Trainer(
        max_epochs=2,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accumulate_grad_batches=accumulate,
        callbacks=[for_lightning(classes=CLASSES, run=run)] if run else [],
    )
    trainer.fit(module, loader, loader)
    return module


@pytest.mark.parametrize("accumulate", [1, 2])
def test_lightning(tmp_path: Path, accumulate: int) -> None:
    plain = by_lightning(None, accumulate=accumulate)
    assert bits(by_lightning(tmp_path / "run", accumulate=accumulate)) == bits(plain)
    log = log_of(tmp_path / "run")
    check(log, 2 * STEPS // accumulate)
    assert log.wheres("recall") == ["0", "1", "2", "3"]


class Pictures(torch.utils.data.Dataset):
    """Images as the Hugging Face Trainer wants them."""

    def __init__(self) -> None:
        self.images, self.labels = data()

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, place: int) -> dict[str, torch.Tensor]:
        return {"pixel_values": self.images[place], "labels": self.labels[place]}


def by_transformers(folder: Path, run: Path | None, *, accumulate: int = 1) -> nn.Module:
    transformers = importlib.import_module("transformers")

    class Classifier(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, pixel_values: torch.Tensor, labels: torch.Tensor | None = None) -> dict[str, torch.Tensor]:
            logits = self.layers(pixel_values)
            return {"logits": logits} if labels is None else {"loss": F.cross_entropy(logits, labels), "logits": logits}

    model = Classifier()
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=2,
        per_device_train_batch_size=BATCH // accumulate,
        gradient_accumulation_steps=accumulate,
        eval_strategy="epoch",
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        seed=3,
    )
    trainer = transformers.Trainer(
        model,
        arguments,
        train_dataset=Pictures(),
        eval_dataset=Pictures(),
        compute_metrics=lambda found: {"accuracy": float((found.predictions.argmax(1) == found.label_ids).mean())},
        callbacks=[for_transformers(classes=CLASSES, run=run)] if run else [],
    )
    trainer.train()
    return model


@pytest.mark.parametrize("accumulate", [1, 2])
def test_transformers(tmp_path: Path, accumulate: int) -> None:
    plain = by_transformers(tmp_path / "a", None, accumulate=accumulate)
    assert bits(by_transformers(tmp_path / "b", tmp_path / "run", accumulate=accumulate)) == bits(plain)
    check(log_of(tmp_path / "run"), 2 * STEPS)


def by_skorch(run: Path | None) -> nn.Module:
    skorch = importlib.import_module("skorch")

    class Probable(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = layers()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.softmax(self.layers(x), dim=1)

    torch.manual_seed(2)
    x, y = data()
    net = skorch.NeuralNetClassifier(
        Probable,
        max_epochs=2,
        lr=0.05,
        batch_size=BATCH,
        verbose=0,
        train_split=skorch.dataset.ValidSplit(3, stratified=True),
        callbacks=[for_skorch(classes=CLASSES, run=run)] if run else [],
    )
    net.fit(x.numpy(), y.numpy())
    return net.module_


def test_skorch(tmp_path: Path) -> None:
    assert bits(by_skorch(tmp_path / "run")) == bits(by_skorch(None))
    log = log_of(tmp_path / "run")
    check(log, 8)
    assert log.series("scores_sum_to_one").values.tolist() == [0.0], "skorch's own logarithm is taken into account"


def test_a_framework_that_is_missing_is_said(monkeypatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with warnings.catch_warnings(), pytest.raises(UserError, match="skorch is not installed"):
        for_skorch()
