"""Pages about runs: the report of one, several side by side."""

from __future__ import annotations

import time
from pathlib import Path

from babysit.clock import Clock
from babysit.errors import UserError
from babysit.evaluating.comparison import Comparison, compare_runs
from babysit.evaluating.label_errors import confident_joint
from babysit.record import predictions
from babysit.record.run import Run
from babysit.reporting.compared import write_comparison
from babysit.reporting.page import Suspected, write_report
from babysit.reporting.watched import write_watched_report
from babysit.show import Silent


def report(run: str | Path) -> Path:
    """Writes the run's page again and returns its path; images that have left the cache are decoded again.

    Raises:
        UserError: when there is no run, or it has not finished an epoch.
    """
    found = Run(Path(run))
    if found.read_manifest().get("kind") == "watched":
        return write_watched_report(found)
    suspects = suspected(found)
    _complete(found)
    return write_report(found, suspects)


def suspected(run: Run) -> Suspected:
    """The labels of the validation part that are probably wrong; none of a refitted run, which has no such part.

    Raises:
        UserError: when the run has not finished an epoch.
    """
    run.read_manifest()
    if not predictions.has_validation(run):
        return ()
    predicted = predictions.read_unnamed(run)
    return confident_joint(predicted.probabilities, predicted.labels)


def compare(*run_folders: str | Path, out: str | Path | None = None) -> Comparison:
    """Runs side by side: settings that differ, accuracies with intervals, McNemar's test on the same images.

    Arguments:
        out: also write a self-contained page there, with the curves overlaid.

    Raises:
        UserError: fewer than two runs, one that has not finished an epoch, or a place that cannot be written.
    """
    paths = [Path(one) for one in run_folders]
    found = compare_runs(paths)
    if out is not None:
        write_comparison(found, paths, Path(out))
    return found


def _complete(run: Run) -> None:
    """Makes what the page needs and the run lacks: decoded images, maps of the mistakes. Without the data it stays away."""
    cache = Path(str(run.read_manifest().get("data", {}).get("cache", "")))
    if (cache / "pixels.u8").exists() and run.attention.exists():
        return
    # Only now: these bring torch.
    from babysit.evaluating.attention import write_attention
    from babysit.evaluating.held_out import open_images
    from babysit.inference.predictor import load_predictor

    try:
        network = load_predictor(run.path)
        _, images = open_images(network, None, Silent(), Clock(time.perf_counter()))
        if images.path.name != cache.name:  # its name is a hash of the images: these are others, in another order
            return
        if images.path != cache:
            run.update_manifest(data={**run.read_manifest()["data"], "cache": str(images.path)})
        if not run.attention.exists() and not network.notes:
            part = "val" if predictions.has_validation(run) else "test"
            write_attention(run, network, images.pixels, predictions.read(run, part))
    except UserError:
        return  # the page says that the pictures are left out
