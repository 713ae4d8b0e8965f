"""Loops of the part that is beyond, as people write them. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call
from torch.optim.swa_utils import AveragedModel, update_bn

from apart.steps import cost, judged
from beyond.steps import clear, judge, update
from fresh.setups import Ready
from fresh.steps import backward, marked, next_rate, tell, training_mode
from loops import Watcher

Batch = tuple[Tensor, Tensor]


def script(ready: Ready, watcher: Watcher) -> None:
    """All in one file: a running loss that is said now and then, and a validation after every second epoch and at the end."""
    net, said = ready.model, []
    for epoch in range(ready.setup.epochs):
        running_loss = 0.0
        training_mode(ready, epoch)
        for i, (data, last) in enumerate(marked(ready), 0):
            inputs, labels = data
            clear(ready)
            outputs = net(inputs)
            loss = cost(ready, outputs, labels)
            backward(ready, loss)
            update(ready, loss, last=last)
            running_loss += loss.item()
            if i % 20 == 19:
                said.append(f"[{epoch + 1}, {i + 1:5d}] loss: {running_loss / 20:.3f}")
                running_loss = 0.0
            tell(ready, watcher, loss, outputs, (inputs, labels))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        if epoch % 2 == 1 or epoch == ready.setup.epochs - 1:
            loss, accuracy, _, _ = judge(ready)
            watcher.validation(loss=loss, accuracy=accuracy)


class Callback:
    """What is called; each does something in one or two of these."""

    def epoch_begins(self, trainer: Trainer) -> None:
        """Before an epoch."""

    def batch_ends(self, trainer: Trainer, batch: Batch, scores: Tensor, loss: Tensor) -> None:
        """After an update."""

    def epoch_ends(self, trainer: Trainer) -> None:
        """After an epoch and its validation."""


class Watched(Callback):
    """The watcher as one of them."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher

    def batch_ends(self, trainer: Trainer, batch: Batch, scores: Tensor, loss: Tensor) -> None:
        """A batch is told."""
        tell(trainer.ready, self.watcher, loss.detach(), scores.detach(), batch)

    def epoch_ends(self, trainer: Trainer) -> None:
        """A validation, with all scores."""
        loss, accuracy, scores, targets = trainer.validated
        self.watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets)


class Rate(Callback):
    """The schedule."""

    def batch_ends(self, trainer: Trainer, batch: Batch, scores: Tensor, loss: Tensor) -> None:
        """A step of it."""
        del batch, scores, loss
        next_rate(trainer.ready, "batch")

    def epoch_ends(self, trainer: Trainer) -> None:
        """A step of it."""
        next_rate(trainer.ready, "epoch")


class Best(Callback):
    """The best weights, kept beside and never put back."""

    accuracy, weights = 0.0, None

    def epoch_ends(self, trainer: Trainer) -> None:
        """Keeps them."""
        if trainer.validated[1] > self.accuracy:
            self.accuracy, self.weights = trainer.validated[1], copy.deepcopy(trainer.ready.model.state_dict())


class Trainer:
    """Calls what there is to call."""

    def __init__(self, ready: Ready, callbacks: Sequence[Callback]) -> None:
        self.ready, self.callbacks, self.validated = ready, callbacks, (0.0, 0.0, torch.empty(0), torch.empty(0))

    def fit(self) -> None:
        """All epochs."""
        for epoch in range(self.ready.setup.epochs):
            training_mode(self.ready, epoch)
            for one in self.callbacks:
                one.epoch_begins(self)
            for batch, last in marked(self.ready):
                scores = self.ready.model(batch[0])
                loss = cost(self.ready, scores, batch[1])
                clear(self.ready)
                backward(self.ready, loss)
                update(self.ready, loss, last=last)
                for one in self.callbacks:
                    one.batch_ends(self, batch, scores, loss)
            self.validated = judge(self.ready)
            for one in self.callbacks:
                one.epoch_ends(self)


def callbacks(ready: Ready, watcher: Watcher) -> None:
    """A trainer that knows nothing but when to call whom."""
    Trainer(ready, (Rate(), Watched(watcher), Best())).fit()


def functional(ready: Ready, watcher: Watcher) -> None:
    """A step is a function of weights and a batch; its weights are those of the network, so the optimiser finds their gradients."""

    def forward(weights: Mapping[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(ready.model, dict(weights), (x,))

    def train_step(weights: Mapping[str, Tensor], batch: Batch, *, last: bool) -> tuple[Tensor, Tensor]:
        scores = forward(weights, batch[0])
        loss = cost(ready, scores, batch[1])
        backward(ready, loss)
        update(ready, loss, last=last)
        clear(ready)
        return loss.detach(), scores.detach()

    weights = dict(ready.model.named_parameters())
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for batch, last in marked(ready):
            loss, scores = train_step(weights, batch, last=last)
            tell(ready, watcher, loss, scores, batch)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[0][0])


def iterations(ready: Ready, watcher: Watcher) -> None:
    """So many iterations, each of some small batches from a list without an end; the rate is set by hand before each."""
    every = ready.setup.accumulate
    begun = [group["initial_lr"] for one in ready.optimizers for group in one.param_groups]

    def endless() -> Iterator[tuple[Batch, bool]]:
        while True:
            yield from marked(ready)

    def get_lr(it: int) -> float:
        done = it if ready.setup.per == "batch" else it * every // ready.batches
        return ready.schedules[0].lr_lambdas[0](done)

    source, total = endless(), ready.setup.epochs * ready.batches // every
    interval = max(1, ready.batches // every)
    for it in range(total):
        training_mode(ready, it * every // ready.batches)
        factor = get_lr(it)
        for group, rate in zip((one for each in ready.optimizers for one in each.param_groups), begun, strict=True):
            group["lr"] = rate * factor
        last = False
        for _ in range(every):
            (xb, yb), ends = next(source)
            last = last or ends
            logits = ready.model(xb)
            loss = cost(ready, logits, yb)
            backward(ready, loss)
            tell(ready, watcher, loss, logits, (xb, yb))
        update(ready, loss, last=last)  # type: ignore[possibly-undefined]
        clear(ready)
        if (it + 1) % interval == 0 or it == total - 1:
            losses, accuracy, scores, targets = judge(ready)
            watcher.validation(loss=losses, accuracy=accuracy, outputs=scores, targets=targets)


class AverageMeter:
    """A mean of what it was told."""

    def __init__(self, name: str) -> None:
        self.name, self.sum, self.count = name, 0.0, 0

    def update(self, value: float, n: int) -> None:
        """Told of n more."""
        self.sum, self.count = self.sum + value * n, self.count + n

    @property
    def avg(self) -> float:
        """The mean."""
        return self.sum / max(1, self.count)


def meters(ready: Ready, watcher: Watcher) -> None:
    """Meters of loss and accuracy, as in the example of ImageNet; the best accuracy is remembered."""
    best_acc1 = 0.0
    for epoch in range(ready.setup.epochs):
        losses, top1 = AverageMeter("Loss"), AverageMeter("Acc@1")
        training_mode(ready, epoch)
        for (images, target), last in marked(ready):
            output = ready.model(images)
            loss = cost(ready, output, target)
            losses.update(loss.item(), images.size(0))
            top1.update(float((output.argmax(1) == target).float().mean()), images.size(0))
            clear(ready)
            backward(ready, loss)
            update(ready, loss, last=last)
            tell(ready, watcher, loss, output, (images, target))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        val_loss, acc1, _, _ = judge(ready)
        watcher.validation(loss=val_loss, accuracy=acc1)
        best_acc1 = max(acc1, best_acc1)


def swa(ready: Ready, watcher: Watcher) -> None:
    """In the last third the weights are averaged, and the average is judged at the end (Izmailov et al. 2018)."""
    fault = ready.setup.fault
    first = ready.setup.epochs * 2 // 3 if fault != "averaged-from-start" else 0
    mean = AveragedModel(ready.model)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (x, y), last in marked(ready):
            clear(ready)
            out = ready.model(x)
            loss = cost(ready, out, y)
            backward(ready, loss)
            update(ready, loss, last=last)
            tell(ready, watcher, loss, out, (x, y))
            if fault == "averaged-from-start":
                mean.update_parameters(ready.model)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        if epoch >= first and fault != "averaged-from-start":
            mean.update_parameters(ready.model)
        if epoch < ready.setup.epochs - 1 and fault not in ("averaged-from-start", "average-unready"):
            loss, accuracy, scores, targets = judge(ready)
        else:
            if fault != "average-unready":  # its normalisation has seen nothing otherwise
                update_bn(ready.train(), mean)
            loss, accuracy, scores, targets = judged(ready, mean)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets)


def sam(ready: Ready, watcher: Watcher) -> None:
    """Two passes for each update: the gradient is that of where the loss near by is greatest (Foret et al. 2021)."""
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (inputs, targets), last in marked(ready):
            predictions = ready.model(inputs)
            loss = cost(ready, predictions, targets)
            clear(ready)
            backward(ready, loss)
            moved = [(one, one.grad.clone()) for one in ready.model.parameters() if one.grad is not None]
            length = torch.stack([slope.norm() for _, slope in moved]).norm() + 1e-12 if moved else torch.ones(())
            with torch.no_grad():
                for one, slope in moved:
                    one.add_(0.03 * slope / length)
            clear(ready)
            backward(ready, cost(ready, ready.model(inputs), targets))
            with torch.no_grad():
                for one, slope in moved:
                    one.sub_(0.03 * slope / length)
            update(ready, loss, last=last)
            tell(ready, watcher, loss.detach(), predictions.detach(), (inputs, targets))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, labels = judge(ready)
        watcher.validation(accuracy=accuracy, loss=loss, outputs=scores, targets=labels)


def resizing(ready: Ready, watcher: Watcher) -> None:
    """The first half of the epochs sees the pictures at three quarters of their size; validation is done at the whole one."""
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        small = epoch < ready.setup.epochs // 2
        for (xb, yb), last in marked(ready):
            seen = F.interpolate(xb, scale_factor=0.75, mode="bilinear") if small else xb
            preds = ready.model(seen)
            loss = cost(ready, preds, yb)
            tell(ready, watcher, loss, preds, (seen, yb))
            backward(ready, loss)
            update(ready, loss, last=last)
            clear(ready)
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, labels = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=labels)


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "script": script,
    "callbacks": callbacks,
    "functional": functional,
    "iterations": iterations,
    "meters": meters,
    "swa": swa,
    "sam": sam,
    "resizing": resizing,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
