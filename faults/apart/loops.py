"""Loops of the part that is apart, as people write them. Each trains, tells the watcher what it has at hand, and returns nothing."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from apart.steps import clear, cost, judged, update
from fresh.setups import Ready
from fresh.steps import backward, judge, marked, next_rate, tell, training_mode
from loops import Watcher


def tutorial(ready: Ready, watcher: Watcher) -> None:
    """Two functions, train and test, as in the first tutorial; the watcher in both."""
    said: list[str] = []

    def train_loop(epoch: int) -> None:
        training_mode(ready, epoch)
        for batch, ((x, y), last) in enumerate(marked(ready)):
            pred = ready.model(x)
            loss = cost(ready, pred, y)
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, pred, (x, y))
            clear(ready)
            next_rate(ready, "batch")
            if batch % 10 == 0:
                said.append(f"loss: {loss.item():>7f}  [{batch * len(x):>5d}]")

    def test_loop() -> None:
        test_loss, correct, pred, y = judge(ready)
        said.append(f"Test Error: Accuracy: {100 * correct:>0.1f}%, Avg loss: {test_loss:>8f}")
        watcher.validation(loss=test_loss, accuracy=correct, outputs=pred, targets=y)

    for t in range(ready.setup.epochs):
        said.append(f"Epoch {t + 1}")
        train_loop(t)
        next_rate(ready, "epoch")
        test_loop()


def scaled(ready: Ready, watcher: Watcher) -> None:
    """The loss is scaled for half precision, and gradients are scaled back before they are clipped."""
    fault, _, amount = ready.setup.fault.partition(":")
    (optimizer,) = ready.optimizers
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**12, growth_interval=500)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (x, y), last in marked(ready):
            clear(ready)
            logits = ready.model(x)
            loss = cost(ready, logits, y)
            if fault:  # done by hand where something is wrong
                factor = float(amount) if fault == "clipped-scaled" else 1.0
                backward(ready, loss * factor)
                if fault == "clipped-scaled":  # clipped while it is large, and scaled back then
                    torch.nn.utils.clip_grad_norm_(ready.model.parameters(), 1.0)
                    for one in ready.model.parameters():
                        if one.grad is not None:
                            one.grad.div_(factor)
                update(ready, last=last)
            else:
                backward(ready, scaler.scale(loss))
                scaler.unscale_(optimizer)
                torch.nn.utils.clip_grad_norm_(ready.model.parameters(), ready.setup.clip or 5.0)
                scaler.step(optimizer)
                scaler.update()
                ready.updates += 1
            tell(ready, watcher, loss.detach(), logits.detach(), (x, y))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, _, _ = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy)


def averaged(ready: Ready, watcher: Watcher) -> None:
    """A running mean of the weights is judged in place of the weights."""
    fault, _, amount = ready.setup.fault.partition(":")
    decay = float(amount) if fault == "average-slow" else 0.9
    mean = AveragedModel(ready.model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (images, labels), last in marked(ready):
            outputs = ready.model(images)
            loss = cost(ready, outputs, labels)
            clear(ready)
            backward(ready, loss)
            update(ready, last=last)
            mean.update_parameters(ready.model)
            tell(ready, watcher, loss, outputs, (images, labels))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, outputs, labels = judged(ready, mean)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=outputs, targets=labels)


def mixing(ready: Ready, watcher: Watcher) -> None:
    """Two pictures in one, and a loss for the labels of both (Zhang et al. 2018)."""
    fault = ready.setup.fault
    chance = np.random.default_rng(int(torch.randint(2**31, (1,))))
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (x, y), last in marked(ready):
            lam = float(chance.beta(0.3, 0.3)) if fault not in ("mix-swapped", "mix-forgotten") else 0.6
            if fault not in ("mix-swapped", "mix-forgotten"):
                lam = max(lam, 1 - lam)
            index = torch.randperm(len(x))
            mixed_x = lam * x + (1 - lam) * x[index]
            if fault == "mix-swapped":  # the weights are taken for those of the other
                lam = 0.0
            elif fault == "mix-forgotten":
                lam = 1.0 if chance.random() < 0.5 else 0.0
            outputs = ready.model(mixed_x)
            loss = lam * cost(ready, outputs, y) + (1 - lam) * cost(ready, outputs, y[index])
            clear(ready)
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, outputs, (mixed_x, y))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets)


def onecycle(ready: Ready, watcher: Watcher) -> None:
    """The rate up and down once, a step for every batch."""
    (optimizer,) = ready.optimizers
    fault, _, amount = ready.setup.fault.partition(":")
    scheduler = OneCycleLR(
        optimizer,
        max_lr=[group["lr"] for group in optimizer.param_groups],
        total_steps=ready.setup.epochs * ready.batches + 1,
        div_factor=float(amount) if fault == "cycle-per-epoch" else 25.0,
        cycle_momentum=ready.setup.optimizer in ("momentum", "nesterov", "adam", "adamw"),
    )
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        total, count = 0.0, 0
        for (x, y), last in marked(ready):
            clear(ready)
            out = ready.model(x)
            loss = cost(ready, out, y)
            tell(ready, watcher, loss, out, (x, y))
            backward(ready, loss)
            update(ready, last=last)
            if fault != "cycle-per-epoch":
                scheduler.step()
            total, count = total + loss.item() * len(x), count + len(x)
        if fault == "cycle-per-epoch":
            scheduler.step()
        val_loss, val_accuracy, scores, targets = judge(ready)
        watcher.validation(loss=val_loss, accuracy=val_accuracy, outputs=scores, targets=targets)


def restarting(ready: Ready, watcher: Watcher) -> None:
    """Cosines that begin anew, told the epoch as a fraction; loss and accuracy are worked out by hand (Loshchilov and Hutter 2017)."""
    (optimizer,) = ready.optimizers
    first = max(1, ready.setup.epochs // 3)
    scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=first, T_mult=2, eta_min=1e-6)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for i, (sample, last) in enumerate(marked(ready)):
            inputs, labels = sample
            clear(ready)
            outputs = ready.model(inputs)
            loss = cost(ready, outputs, labels)
            backward(ready, loss)
            update(ready, last=last)
            scheduler.step(epoch + i / ready.batches)  # type: ignore[arg-type]
            tell(ready, watcher, loss.detach(), outputs.detach(), sample)
        loss, accuracy, _, _ = judge(ready)
        watcher.validation(accuracy=accuracy, loss=loss)


class EarlyStopping:
    """Says when it is enough, and keeps the best weights."""

    def __init__(self, patience: int, delta: float) -> None:
        self.patience, self.delta, self.counter, self.best, self.stop = patience, delta, 0, math.inf, False
        self.weights: dict[str, Tensor] = {}

    def __call__(self, loss: float, model: torch.nn.Module) -> None:
        """After a validation."""
        if loss < self.best - self.delta:
            self.best, self.counter = loss, 0
            self.weights = copy.deepcopy(model.state_dict())
        else:
            self.counter += 1
            self.stop = self.counter >= self.patience


def stopping(ready: Ready, watcher: Watcher) -> None:
    """Until the validation loss has not fallen for some epochs; then the best weights, and a last validation."""
    impatient = ready.setup.fault == "impatient"
    early_stopping = EarlyStopping(1 if impatient else 8, 0.9 if impatient else 0.0)
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        for (data, target), last in marked(ready):
            clear(ready)
            output = ready.model(data)
            loss = cost(ready, output, target)
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, output, (data, target))
            next_rate(ready, "batch")
        next_rate(ready, "epoch")
        valid_loss, accuracy, output, target = judge(ready)
        watcher.validation(loss=valid_loss, accuracy=accuracy, outputs=output, targets=target)
        early_stopping(valid_loss, ready.model)
        if early_stopping.stop:
            break
    if early_stopping.weights:
        ready.model.load_state_dict(early_stopping.weights)
    loss, accuracy, _, _ = judge(ready)
    watcher.validation(loss=loss, accuracy=accuracy)


def phases(ready: Ready, watcher: Watcher) -> None:
    """One loop body for training and validation, told apart by the name of the phase, as in the tutorial of transfer learning."""
    best_acc = 0.0
    best_model_wts = copy.deepcopy(ready.model.state_dict())
    for epoch in range(ready.setup.epochs):
        for phase in ("train", "val"):
            if phase == "train":
                training_mode(ready, epoch)
            elif ready.setup.fault != "judged-training":
                ready.model.eval()
            running_loss, running_corrects, size = 0.0, 0, 0
            source = marked(ready) if phase == "train" else ((one, False) for one in ready.valid)
            for (inputs, labels), last in source:
                clear(ready)
                with torch.set_grad_enabled(phase == "train"):
                    outputs = ready.model(inputs)
                    preds = outputs.argmax(1)
                    loss = cost(ready, outputs, labels)
                    if phase == "train":
                        backward(ready, loss)
                        update(ready, last=last)
                        tell(ready, watcher, loss, outputs, (inputs, labels))
                        next_rate(ready, "batch")
                running_loss += loss.item() * inputs.size(0)
                running_corrects += int((preds == labels).sum())
                size += len(inputs)
            epoch_loss, epoch_acc = running_loss / size, running_corrects / size
            if phase == "train":
                next_rate(ready, "epoch")
            else:
                ready.accuracy = epoch_acc
                watcher.validation(loss=epoch_loss, accuracy=epoch_acc)
                if epoch_acc > best_acc:
                    best_acc = epoch_acc
                    best_model_wts = copy.deepcopy(ready.model.state_dict())
    del best_model_wts


def accumulated(ready: Ready, watcher: Watcher) -> None:
    """Some batches to an update, those that are left over too; the watcher is told every batch, its loss undivided."""
    every = ready.setup.accumulate
    for epoch in range(ready.setup.epochs):
        training_mode(ready, epoch)
        clear(ready)
        for step, (batch, last) in enumerate(marked(ready)):
            prediction = ready.model(batch[0])
            loss = cost(ready, prediction, batch[1])
            backward(ready, loss)
            if (step + 1) % every == 0 or last:
                update(ready, last=last)
                next_rate(ready, "batch")
                clear(ready)
            tell(ready, watcher, loss, prediction, batch)
        next_rate(ready, "epoch")
        loss, accuracy, scores, targets = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy, outputs=scores, targets=targets, inputs=ready.valid[0][0])


def interval(ready: Ready, watcher: Watcher) -> None:
    """A validation after so many steps, and a rate that falls when its loss does not; epochs mean nothing."""
    wrong = ready.setup.fault == "mode-max"  # right for an accuracy; a loss is what it is told
    plateaus = [
        ReduceLROnPlateau(one, "max" if wrong else "min", factor=0.1 if wrong else 0.5, patience=0 if wrong else 4)
        for one in ready.optimizers
    ]
    every = max(5, ready.batches * 2 // 3)
    step, total = 0, ready.setup.epochs * ready.batches
    while step < total:
        training_mode(ready, step // ready.batches)
        for (x, y), last in marked(ready):
            clear(ready)
            logits = ready.model(x)
            loss = cost(ready, logits, y)
            backward(ready, loss)
            update(ready, last=last)
            tell(ready, watcher, loss, logits, (x, y))
            step += 1
            if step % every == 0 or step == total:
                val_loss, val_acc, scores, targets = judge(ready)
                watcher.validation(loss=val_loss, accuracy=val_acc, outputs=scores, targets=targets)
                for one in plateaus:
                    one.step(val_loss)
                training_mode(ready, step // ready.batches)


def logged(ready: Ready, watcher: Watcher) -> None:
    """A validation before anything is learned, a dictionary of metrics, numbers alone told."""
    history: dict[str, list[float]] = {"train_loss": [], "val_loss": [], "val_acc": [], "lr": []}
    for epoch in range(ready.setup.epochs + 1):
        loss, accuracy, _, _ = judge(ready)
        watcher.validation(loss=loss, accuracy=accuracy)
        history["val_loss"].append(loss)
        history["val_acc"].append(accuracy)
        if epoch == ready.setup.epochs:
            break
        training_mode(ready, epoch)
        losses = []
        for batch, last in marked(ready):
            clear(ready)
            scores = ready.model(batch[0])
            value = cost(ready, scores, batch[1])
            backward(ready, value)
            tell(ready, watcher, value, scores, batch)
            update(ready, last=last)
            next_rate(ready, "batch")
            losses.append(value.item())
        next_rate(ready, "epoch")
        history["train_loss"].append(float(np.mean(losses)))
        history["lr"].append(ready.optimizers[0].param_groups[0]["lr"])


STYLES: dict[str, Callable[[Ready, Watcher], None]] = {
    "tutorial": tutorial,
    "scaled": scaled,
    "averaged": averaged,
    "mixing": mixing,
    "onecycle": onecycle,
    "restarting": restarting,
    "stopping": stopping,
    "phases": phases,
    "accumulated": accumulated,
    "interval": interval,
    "logged": logged,
}


def train(ready: Ready, watcher: Watcher) -> float:
    """Trains in the style that was chosen; gives the last validation accuracy back."""
    STYLES[ready.setup.style](ready, watcher)
    return ready.accuracy
