"""Where a study is kept: its folder with a trial's run in each subfolder, and Optuna's database of what was asked and told.

    STUDY/ study.json  base.toml  split.csv  study.db  .lock  trials/0000 ...  recipe.toml  result.json  search.html

The database is SQLite in the folder, or what --storage names; it holds the trials, so that workers agree. A worker that
chooses holds the folder's lock; one that trains holds the lock of the trial's run, which the system lets go when it dies.
"""

from __future__ import annotations

import fcntl
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babysit.errors import UserError, writing
from babysit.record import atomic
from babysit.searching.space import Dimension, Space, Value
from babysit.searching.stages import Effort, Trial

if TYPE_CHECKING:
    import optuna

FORMAT = 1
WAITING_SECONDS = 60
KINDS = ("sqlite", "postgresql", "postgres")
LEGAL = "postgresql://USER@HOST/NAME or sqlite:///FILE"
DRIVER = "pip install 'babysit[postgres]' installs PostgreSQL's, psycopg"


@dataclass(frozen=True, slots=True)
class About:
    """What a study is: written once into study.json. `storage` a database's address, empty for SQLite in the folder.

    A password in the address is not written: whoever reads the folder should not read it.
    """

    name: str
    data: str
    space: Space
    effort: Effort
    seed: int
    storage: str = ""

    def as_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "data": self.data,
            "space": [one.as_json() for one in self.space],
            "trials": self.effort.trials,
            "budget": self.effort.budget,
            "seed": self.seed,
            "storage": without_password(self.storage, instead=""),
        }


@dataclass(frozen=True)
class Study:
    """An open study."""

    folder: Path
    about: About
    database: optuna.Study

    @property
    def base(self) -> Path:
        """The recipe that is searched around, with what was decided once for all trials."""
        return self.folder / "base.toml"

    @property
    def split(self) -> Path:
        """The parts, the same for all trials."""
        return self.folder / "split.csv"

    def run_of(self, number: int) -> Path:
        """The folder of a trial's run."""
        return self.folder / "trials" / f"{number:04d}"

    @contextmanager
    def choosing(self) -> Iterator[None]:
        """Inside, no other worker chooses."""
        with (self.folder / ".lock").open("a") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def held(self, number: int) -> bool:
        """Whether a living worker has a trial in its hands."""
        try:
            with (self.run_of(number) / ".lock").open("a") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except OSError:
            return True
        return False

    def trials(self) -> list[Trial]:
        """All trials in order."""
        kept = self.database.user_attrs
        names = sorted(name for name in kept if name.startswith("trial-"))
        return [Trial.of_json(kept[name]) for name in names]

    def put(self, trial: Trial) -> None:
        """Keeps a trial as it is now."""
        self.database.set_user_attr(f"trial-{trial.number:06d}", trial.as_json())

    def ask(self, space: Space, params: Mapping[str, Value]) -> tuple[int, dict[str, Value]]:
        """A new trial's number and parameters: those given, and of the rest what Optuna's sampler proposes in the space."""
        self.database.enqueue_trial(dict(params))
        asked = self.database.ask(_distributions(space))
        proposed = {one.name: asked.params[one.name] for one in space if one.name not in params}
        for one in space:
            if one.name in proposed and not one.choices:
                proposed[one.name] = one.value(one.unit(proposed[one.name]))
        return asked.number, {one.name: params.get(one.name, proposed.get(one.name, 0)) for one in space}

    def tell(self, number: int, value: float) -> None:
        """Tells Optuna what a trial came to at the end of its first stage, once."""
        from optuna.trial import TrialState

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.database.tell(number, value, state=TrialState.COMPLETE, skip_if_finished=True)

    def note(self, name: str, value: object) -> None:
        """Keeps something of the whole study."""
        self.database.set_user_attr(name, value)

    def noted(self, name: str, otherwise: Any = None) -> Any:  # noqa: ANN401 - JSON
        """What was kept of the whole study."""
        return self.database.user_attrs.get(name, otherwise)

    def spend(self, seconds: float) -> None:
        """Adds to the seconds of work of all workers; call it while choosing."""
        self.note("spent", self.noted("spent", 0.0) + seconds)


def check_free(folder: Path) -> None:
    """Refuses a place that is taken, before any work is done for it.

    Raises:
        UserError: when something is there already; an empty folder is free.
    """
    if (folder / "study.json").exists():
        raise UserError(
            "there is a search here already",
            where=str(folder),
            hint=f"Go on with it: babysit search --join {folder}, or choose another place with -o",
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            "this place is not empty", where=str(folder), hint="Choose another place with -o; nothing was touched"
        )


def create_study(folder: Path, about: About) -> Study:
    """A new study in an empty place.

    Raises:
        UserError: when something is there, or the database cannot be opened.
    """
    check_free(folder)
    with writing(folder, "the search"):
        (folder / "trials").mkdir(parents=True, exist_ok=True)
        study = Study(folder, about, _open(folder, about, new=True))
        atomic.write_json(folder / "study.json", about.as_json())
    return study


def open_study(folder: Path, data: str | None = None) -> Study:
    """A study that is there.

    Arguments:
        data: what the user says it is of, if anything.

    Raises:
        UserError: when there is none, it is of another format, or made for other data.
    """
    try:
        kept = json.loads((folder / "study.json").read_text(encoding="utf-8"))
        version = kept["format"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(
            "there is no search here: it has no readable study.json",
            where=str(folder),
            hint="`babysit search DATA -o STUDY` begins one",
        ) from error
    if version > FORMAT:
        raise UserError(f"the search has format {version}, this babysit reads up to {FORMAT}", where=str(folder))
    effort = Effort(kept["trials"], kept["budget"])
    space = tuple(Dimension.of_json(one) for one in kept["space"])
    about = About(kept["name"], kept["data"], space, effort, kept["seed"], kept["storage"])
    if data is not None and Path(data).resolve() != Path(about.data).resolve():
        raise UserError(
            f"this search was made for other data: {about.data}, not {data}",
            where=str(folder),
            hint=f"Leave the data out (babysit search --join {folder}), or begin another search with -o",
        )
    return Study(folder, about, _open(folder, about, new=False))


def _open(folder: Path, about: About, *, new: bool) -> optuna.Study:
    import optuna

    address = about.storage or f"sqlite:///{(folder / 'study.db').resolve()}"
    storage = reached(address)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sampler = optuna.samplers.TPESampler(seed=about.seed % 2**31, multivariate=True, n_startup_trials=4)
        try:
            if new:
                return optuna.create_study(
                    storage=storage, study_name=about.name, direction="maximize", sampler=sampler
                )
            return optuna.load_study(storage=storage, study_name=about.name, sampler=sampler)
        except KeyError as error:
            raise UserError(
                "the database does not know this search",
                where=without_password(address),
                hint="Was it begun with another --storage?",
            ) from error


def reached(address: str) -> optuna.storages.RDBStorage:
    """A database that answers, with Optuna's tables in it.

    Raises:
        UserError: when it is of no known kind, its driver is missing, or it does not answer.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    where, kind = without_password(address), address.partition(":")[0].partition("+")[0]
    if kind not in KINDS:
        raise UserError(f"the storage is of kind {kind!r}", where=where, legal=LEGAL)
    lite = {"connect_args": {"timeout": WAITING_SECONDS}} if kind == "sqlite" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return optuna.storages.RDBStorage(with_driver(address), engine_kwargs=lite)
        except ImportError as error:
            raise UserError("the driver of this database is not installed", where=where, hint=DRIVER) from error
        except Exception as error:
            raise UserError(
                f"the search's database cannot be opened: {_reason(error)}",
                where=where,
                hint="Check that it runs, and host, port, user and name; a database of that name must be there already. "
                "A password is not kept with the search: it is read from PGPASSWORD or ~/.pgpass",
            ) from error


def with_driver(address: str) -> str:
    """An address with the driver that we install: which one SQLAlchemy takes by itself changed with its version 2.1.

    >>> with_driver("postgresql://me@host/db"), with_driver("sqlite:///study.db")
    ('postgresql+psycopg://me@host/db', 'sqlite:///study.db')
    """
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", address)


def without_password(address: str, *, instead: str = ":...") -> str:
    """A database's address as it may be shown; `instead` stands where the password was.

    >>> without_password("postgresql://me:secret@host/db")
    'postgresql://me:...@host/db'
    >>> without_password("postgresql://me:secret@host/db", instead="")
    'postgresql://me@host/db'
    """
    return re.sub(r"(//[^:/@]*):[^@]*@", rf"\1{instead}@", address)


def _reason(error: Exception) -> str:
    """The first line of what a database said; SQLAlchemy puts the driver's own words behind the name of its error."""
    lines = without_password(str(error.__cause__ or error)).strip().splitlines()
    return re.sub(r"^\([\w.]+\) ", "", lines[0]).rstrip(".") if lines else type(error).__name__


def _distributions(space: Space) -> dict[str, optuna.distributions.BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    made: dict[str, Any] = {}
    for one in space:
        if one.choices:
            made[one.name] = CategoricalDistribution(one.choices)
        elif one.whole:
            made[one.name] = IntDistribution(int(one.low), int(one.high), log=one.logarithmic)
        else:
            made[one.name] = FloatDistribution(one.low, one.high, log=one.logarithmic)
    return made
