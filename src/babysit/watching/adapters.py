"""The watcher for trainers that have the loop themselves: callbacks for Lightning, the Hugging Face Trainer and skorch.

Each framework is imported when its callback is made; babysit depends on none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from babysit.diagnosing import judge
from babysit.errors import UserError
from babysit.probes.network import scores_in
from babysit.watching.attach import Watch, asked_of

Say = Callable[[str], None]
SCORES = ("logits", "outputs", "scores", "preds", "y_hat")
TARGETS = ("targets", "labels", "target", "y")


@dataclass
class Attached:
    """What the callbacks have in common: a watch that begins with the training, and the outputs of a validation."""

    classes: int | None
    names: Sequence[str] | None
    run: str | Path | None
    say: Say
    watch: Watch | None = None
    _outputs: list[Tensor] = field(default_factory=list)
    _targets: list[Tensor] = field(default_factory=list)

    def begin(self, model: nn.Module, optimizers: Iterable[Optimizer]) -> None:
        """Attaches to a training that is about to begin."""
        bare = [getattr(one, "optimizer", one) for one in optimizers]
        asked = asked_of(model, bare, classes=self.classes, names=self.names, run=self.run)
        self.watch = Watch(asked, judge, self.say)

    def step(self, loss: object, outputs: object, targets: object, inputs: object) -> None:
        """One batch."""
        if self.watch is not None:
            with torch.no_grad():  # trainers give a loss that is detached already, and that is no fault there
                self.watch.step(loss=loss, outputs=outputs, targets=targets, inputs=inputs)

    def validated(self, outputs: object, targets: object) -> None:
        """One batch of a validation."""
        scores = scores_in(outputs)
        if scores is not None and isinstance(targets, Tensor) and scores.ndim == 2 and len(scores) == len(targets):
            self._outputs.append(scores.detach().cpu())
            self._targets.append(targets.detach().cpu())

    def validation(self, metrics: Mapping[str, object]) -> None:
        """The end of a validation; loss and accuracy are found among a trainer's figures by their names."""
        outputs = torch.cat(self._outputs) if self._outputs else None
        targets = torch.cat(self._targets) if self._targets else None
        self._outputs, self._targets = [], []
        if self.watch is not None:
            loss, accuracy = _named(metrics, "loss"), _named(metrics, "acc")
            self.watch.validation(loss=loss, accuracy=accuracy, outputs=outputs, targets=targets)

    def end(self, status: str = "finished") -> None:
        """The end of the training."""
        if self.watch is not None:
            self.watch.close(status)


def for_lightning(
    *,
    classes: int | None = None,
    names: Sequence[str] | None = None,
    run: str | Path | None = None,
    say: Say = print,
) -> Any:  # noqa: ANN401 - a class of theirs
    """A callback for Lightning: `Trainer(callbacks=[for_lightning(run="runs/mine")])`.

    A `training_step` that returns a dictionary with `loss`, `logits` (or `outputs`) and `targets` has all of them judged.

    Arguments:
        classes, names, run, say: as of `babysit.watch`.

    Raises:
        UserError: when Lightning is not installed.
    """
    callback = _base("Lightning", ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks"), "Callback")
    attached = Attached(classes, names, run, say)

    class WatchCallback(callback):
        """Tells the watcher of Lightning's loop."""

        babysit = attached

        def on_train_start(self, trainer: Any, pl_module: nn.Module) -> None:  # noqa: ANN401
            attached.begin(pl_module, trainer.optimizers)

        def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:  # noqa: ANN401, ARG002
            given = outputs if isinstance(outputs, Mapping) else {"loss": outputs}
            inputs, targets = _pair(batch)
            attached.step(given.get("loss"), _first(given, SCORES), _first(given, TARGETS, targets), inputs)

        def on_validation_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, *rest: Any) -> None:  # noqa: ANN401, ARG002
            if isinstance(outputs, Mapping) and not trainer.sanity_checking:
                attached.validated(_first(outputs, SCORES), _first(outputs, TARGETS, _pair(batch)[1]))

        def on_validation_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002
            if not trainer.sanity_checking:
                attached.validation({name: one for name, one in trainer.callback_metrics.items() if "val" in name})

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002
            attached.end()

        def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:  # noqa: ANN401, ARG002
            attached.end(f"ended by {type(exception).__name__}")

    return WatchCallback()


def for_transformers(
    *,
    classes: int | None = None,
    names: Sequence[str] | None = None,
    run: str | Path | None = None,
    say: Say = print,
) -> Any:  # noqa: ANN401 - a class of theirs
    """A callback for the Hugging Face Trainer: `Trainer(..., callbacks=[for_transformers(run="runs/mine")])`.

    Loss, logits, labels and `pixel_values` are taken from the network's own calls.

    Arguments:
        classes, names, run, say: as of `babysit.watch`.

    Raises:
        UserError: when transformers is not installed.
    """
    callback = _base("transformers", ("transformers",), "TrainerCallback")
    attached = Attached(classes, names, run, say)
    seen: dict[str, Any] = {}

    def remember(model: nn.Module, positional: object, named: Mapping[str, Any], output: object) -> None:  # noqa: ARG001
        if torch.is_grad_enabled() and model.training:
            loss = output.get("loss") if isinstance(output, Mapping) else getattr(output, "loss", None)
            seen.update(loss=loss, outputs=scores_in(output), targets=named.get("labels"))
            seen["inputs"] = named.get("pixel_values")

    class WatchCallback(callback):
        """Tells the watcher of the Trainer's loop."""

        babysit = attached

        def on_train_begin(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
            model = more["model"]
            self._handle = model.register_forward_hook(remember, with_kwargs=True)
            attached.begin(model, [more["optimizer"]])

        def on_substep_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
            attached.step(*(seen.pop(name, None) for name in ("loss", "outputs", "targets", "inputs")))

        on_step_end = on_substep_end

        def on_evaluate(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
            attached.validation(more.get("metrics") or {})

        def on_train_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
            self._handle.remove()
            attached.end()

    return WatchCallback()


def for_skorch(
    *,
    classes: int | None = None,
    names: Sequence[str] | None = None,
    run: str | Path | None = None,
    say: Say = print,
) -> Any:  # noqa: ANN401 - a class of theirs
    """A callback for skorch: `NeuralNetClassifier(..., callbacks=[for_skorch(run="runs/mine")])`.

    Arguments:
        classes, names, run, say: as of `babysit.watch`.

    Raises:
        UserError: when skorch is not installed.
    """
    callback = _base("skorch", ("skorch.callbacks",), "Callback")
    attached = Attached(classes, names, run, say)

    class WatchCallback(callback):
        """Tells the watcher of skorch's loop."""

        babysit = attached

        def on_train_begin(self, net: Any, X: Any = None, y: Any = None, **more: Any) -> None:  # noqa: ANN401, ARG002, N803
            attached.begin(net.module_, [net.optimizer_])

        def on_batch_end(self, net: Any, batch: Any = None, training: bool = False, **more: Any) -> None:  # noqa: ANN401
            inputs, targets = _pair(batch)
            outputs = more.get("y_pred")
            if isinstance(net.criterion_, nn.NLLLoss) and isinstance(outputs, Tensor):
                outputs = outputs.detach().clamp_min(1e-12).log()  # skorch takes the logarithm itself, before the loss
            if training:
                attached.step(more.get("loss"), outputs, targets, inputs)
            else:
                attached.validated(outputs, targets)

        def on_epoch_end(self, net: Any, **more: Any) -> None:  # noqa: ANN401, ARG002
            attached.validation({name: one for name, one in net.history[-1].items() if "valid" in name})

        def on_train_end(self, net: Any, X: Any = None, y: Any = None, **more: Any) -> None:  # noqa: ANN401, ARG002, N803
            attached.end()

    return WatchCallback()


def _base(framework: str, modules: Sequence[str], name: str) -> Any:  # noqa: ANN401
    import importlib

    for module in modules:
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError:
            continue
    package = modules[0].split(".")[0]
    raise UserError(f"{framework} is not installed", where=f"import {package}", hint=f"pip install {package}")


def _pair(batch: object) -> tuple[object, object]:
    if isinstance(batch, (tuple, list)) and len(batch) >= 2 and isinstance(batch[1], Tensor):
        return batch[0], batch[1]
    return None, None


def _first(found: Mapping[str, Any], names: Sequence[str], otherwise: object = None) -> object:
    return next((found[name] for name in names if name in found), otherwise)


def _named(metrics: Mapping[str, object], word: str) -> object:
    """The figure whose name has the word and nothing that makes it another's: `valid_loss`, not `valid_loss_best`."""
    fitting = [name for name, one in metrics.items() if word in name.lower() and isinstance(one, (int, float, Tensor))]
    fitting = [name for name in fitting if not isinstance(metrics[name], bool)]
    return metrics[min(fitting, key=len)] if fitting else None
