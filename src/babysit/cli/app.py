"""The command: verbs, exit codes, and how errors look. Importing this imports no torch."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from contextlib import nullcontext

from cyclopts import App, CycloptsError

from babysit.cli.cache import cache
from babysit.cli.check import check
from babysit.cli.compare import compare
from babysit.cli.diagnose import diagnose
from babysit.cli.look import look
from babysit.cli.one_object import one_object
from babysit.cli.predict import predict
from babysit.cli.report import report
from babysit.cli.runs import runs
from babysit.cli.search import search
from babysit.cli.show import show
from babysit.cli.suspects import suspects
from babysit.cli.test import test
from babysit.cli.train import train
from babysit.errors import ChecksFailed, InterruptedTraining, UserError
from babysit.names import for_terminal, lines_for_terminal
from babysit.version import VERSION

DONE, CHANGE_SOMETHING, WRONG_USAGE, STOPPED, INTERRUPTED = 0, 1, 2, 3, 130


def make_app() -> App:
    """The application with all its verbs."""
    app = App(
        name="babysit",
        help="Trains convolutional image classifiers and watches them as they train.",
        version=VERSION,
    )
    for verb in (
        train,
        test,
        predict,
        report,
        diagnose,
        compare,
        suspects,
        runs,
        cache,
        show,
        look,
        check,
        search,
    ):
        app.command(verb)
    return app


def run(arguments: Sequence[str]) -> int:
    """Runs the command line.

    Returns:
        0 done, 1 the user must change something, 2 wrong usage, 3 a check or a diagnosis says stop, 130 interrupted.
    """
    with one_object() if "--json" in arguments else nullcontext():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    try:
        result = make_app()(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        return result if isinstance(result, int) else DONE
    except CycloptsError as error:
        print(f"babysit: {lines_for_terminal(str(error))}\nSee: babysit --help", file=sys.stderr)  # noqa: T201
        return WRONG_USAGE
    except UserError as error:
        if "--json" in arguments:
            faults = [
                {"what": one.what, "where": one.where, "legal": one.legal, "hint": one.hint} for one in error.faults
            ]
            print(json.dumps({"error": str(error), "faults": faults}))  # noqa: T201
        said = "\n".join(for_terminal(fault.text()) for fault in error.faults)
        print(f"babysit: {said}", file=sys.stderr)  # noqa: T201
        return CHANGE_SOMETHING
    except ChecksFailed as failed:
        if "--json" in arguments:
            print(json.dumps({"error": str(failed), "checks": failed.checks}))  # noqa: T201
        print(f"babysit: {lines_for_terminal(str(failed))}", file=sys.stderr)  # noqa: T201
        return STOPPED
    except InterruptedTraining as stopped:
        print(for_terminal(str(stopped)), file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except KeyboardInterrupt:
        print("\nbabysit: interrupted before there was anything to save.", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return CHANGE_SOMETHING
