"""What is measured once, after the last step, with the best network: its temperature, its sense of likeness,
and where it looked in its mistakes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from babysit.calibration import calibrate, scores_of
from babysit.data.batches import Batches
from babysit.evaluating.attention import write_attention
from babysit.inference.likeness import features_of, fit_likeness, last_features
from babysit.inference.predictor import Predictor, load_predictor
from babysit.record import predictions
from babysit.record.run import Run
from babysit.training.session import Session

FEW, FEW_A_CLASS = 2000, 5
"""Training images that likeness is fitted on, and validation images that set its threshold: so many, or so many a class."""


def finish(run: Run, session: Session) -> None:
    """Fits the temperature by the validation part, and likeness by the training part, and maps the mistakes; the run keeps all."""
    predicted = predictions.read_unnamed(run)
    fitted = calibrate(scores_of(predicted.probabilities), predicted.labels)
    predictions.write_calibrations(run, {"plain": fitted})
    network = load_predictor(run.path)
    if network.notes:
        return  # the best network cannot be read back; nothing is known of another one
    training, validation = session.training, session.validation
    assert isinstance(training, Batches) and isinstance(validation, Batches), "a run is made on a data set"
    write_attention(run, network, validation.pixels, predicted)
    count = max(FEW, FEW_A_CLASS * len(session.classes))
    rows = training.rows[spread(len(training), count)]
    held_out = validation.rows[spread(len(validation), count)]
    features, others = _features(network, training, rows), _features(network, validation, held_out)
    if features is not None and others is not None:
        fit_likeness(features, training.labels[rows], len(session.classes), others).write(run.likeness)


def spread(count: int, most: int) -> NDArray[np.int64]:
    """At most `most` of `count` places, evenly spread.

    >>> spread(10, 4).tolist(), spread(3, 5).tolist()
    ([0, 3, 6, 9], [0, 1, 2])
    """
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64)) if count else np.arange(0)


def _features(network: Predictor, part: Batches, rows: NDArray[np.int64]) -> NDArray[np.float32] | None:
    with last_features(network.model) as seen:
        network.scores(part.pixels, rows)
    found = seen.take()
    return features_of(found) if found else None
