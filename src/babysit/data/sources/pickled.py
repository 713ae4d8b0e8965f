"""The part of the pickle format that CIFAR's python files use, read without running anything.

A pickle is a program. This reader knows its instructions for dict, list, tuple, str, bytes, whole numbers and NumPy
arrays, and no others; the few functions that a pickled array names are recognised by name and never called. Lengths
are checked against the bytes that are there before anything is made, and the number of instructions is bounded, so
a hostile file costs neither time nor memory.

Source: the instructions are documented in Python's `pickletools`; the shape of a pickled array in
`numpy.ndarray.__reduce__`.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NoReturn, TypeVar

import numpy as np
from numpy.typing import NDArray

Wanted = TypeVar("Wanted")

MOST_STEPS = 1_000_000
"""CIFAR-100's training file, the longest, takes about 300,000."""

COPIED = 4096  # longer byte strings are views into the file: the pixels are never copied

_CONSTANTS = {ord("N"): None, 0x88: True, 0x89: False}
_WHOLE = {ord("K"): (1, False), ord("M"): (2, False), ord("J"): (4, True)}
_BYTES = {ord("U"): 1, ord("T"): 4, ord("C"): 1, ord("B"): 4, 0x8E: 8, 0x96: 8}
_TEXT = {0x8C: 1, ord("X"): 4, 0x8D: 8}
_EMPTY = {ord("}"): dict, ord("]"): list, ord(")"): tuple}
_TUPLES = {0x85: 1, 0x86: 2, 0x87: 3}
_CLOSING = {ord("t"): tuple, ord("l"): list, ord("d"): dict}
_ONE_MORE = {ord("a"): 1, ord("s"): 2}
_ESCAPE = re.compile(rb"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_PUT = {ord("q"): 1, ord("r"): 4}
_GET = {ord("h"): 1, ord("j"): 4}

_ARRAY_PARTS = frozenset(
    {
        ("_codecs", "encode"),
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
    }
)
_NUMBERS = frozenset({"u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8"})


class HarmedPickleError(ValueError):
    """The bytes are no pickle, are cut short, or hold something other than plain values and arrays."""


@dataclass(slots=True)
class _Name:
    """A function or class that the pickle names."""

    module: str
    name: str


@dataclass(slots=True)
class _Dtype:
    """A type of numbers; its byte order comes later."""

    code: str
    order: str = "="


@dataclass(slots=True)
class _Array:
    """An array that has been announced; its contents come later."""

    values: NDArray[np.generic] | None = None


def read_pickle(data: bytes | bytearray) -> object:
    """The value that a pickle describes: plain values and arrays only.

    Strings of Python 2 come as bytes; long byte strings as memoryview; arrays are views into `data`.

    >>> import pickle
    >>> read_pickle(pickle.dumps({"labels": [3, 1]}))
    {'labels': [3, 1]}

    Raises:
        HarmedPickleError: for anything else, with the reason.
    """
    try:
        return _finished(_Reader(data).run())
    except (IndexError, TypeError, ValueError, KeyError, OverflowError) as error:
        if isinstance(error, HarmedPickleError):
            raise
        raise HarmedPickleError(f"it is not a whole pickle ({type(error).__name__})") from error


class _Reader:
    """Steps through the instructions. Each works on the end of `stack`; a mark puts the stack aside."""

    def __init__(self, data: bytes | bytearray) -> None:
        self.data = memoryview(data).toreadonly()
        self.whole = data
        self.at = 0
        self.stack: list[object] = []
        self.marked: list[list[object]] = []
        self.memo: dict[int, object] = {}
        self.encoded_bytes = 0

    def run(self) -> object:
        for _ in range(MOST_STEPS):
            code = self.number(1)
            if code == ord("."):
                return self.stack.pop()
            if not (self.value(code) or self.container(code) or self.remembered(code) or self.old_text(code)):
                self.array(code)
        raise HarmedPickleError(f"it has more than {MOST_STEPS:,} instructions")

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.at:
            raise HarmedPickleError("it is cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, count: int, *, signed: bool = False) -> int:
        return int.from_bytes(self.take(count), "little", signed=signed)

    def line(self) -> bytes:
        end = self.whole.find(b"\n", self.at)
        if end < 0:
            raise HarmedPickleError("it is cut short")
        text = bytes(self.take(end - self.at))
        self.at += 1
        return text

    def value(self, code: int) -> bool:
        """Instructions that bring one plain value."""
        if code in _WHOLE:
            count, signed = _WHOLE[code]
            self.stack.append(self.number(count, signed=signed))
        elif code in _BYTES:
            taken = self.take(self.number(_BYTES[code]))
            self.stack.append(taken if len(taken) > COPIED else bytes(taken))
        elif code in _TEXT:
            self.stack.append(str(self.take(self.number(_TEXT[code])), "utf-8", "surrogatepass"))
        elif code in _CONSTANTS:
            self.stack.append(_CONSTANTS[code])
        elif code == 0x8A:
            self.stack.append(self.number(self.number(1), signed=True))
        else:
            return False
        return True

    def container(self, code: int) -> bool:
        """Instructions that begin, fill and close lists, dicts and tuples."""
        if code in _EMPTY:
            self.stack.append(_EMPTY[code]())
        elif code == ord("("):
            self.marked.append(self.stack)
            self.stack = []
        elif code in _TUPLES:
            count = _TUPLES[code]
            taken = [self.stack.pop() for _ in range(count)]
            self.stack.append(tuple(taken[::-1]))
        elif code in _CLOSING:
            values, self.stack = self.stack, self.marked.pop()
            self.stack.append(_filled({}, values) if code == ord("d") else _CLOSING[code](values))
        elif code in _ONE_MORE:
            taken = [self.stack.pop() for _ in range(_ONE_MORE[code])]
            _add(self.stack[-1], taken[::-1])
        elif code in (ord("e"), ord("u")):
            values, self.stack = self.stack, self.marked.pop()
            _add(self.stack[-1], values)
        else:
            return False
        return True

    def remembered(self, code: int) -> bool:
        """Instructions that keep the last value under a number and bring it back; and those that say nothing."""
        if code in _PUT or code == ord("p"):
            place = self.number(_PUT[code]) if code in _PUT else int(self.line())
            self.memo[place] = self.stack[-1]
        elif code == 0x94:
            self.memo[len(self.memo)] = self.stack[-1]
        elif code in _GET or code == ord("g"):
            self.stack.append(self.memo[self.number(_GET[code]) if code in _GET else int(self.line())])
        elif code in (0x80, 0x95):  # the version, and the length of a frame
            self.take(1 if code == 0x80 else 8)
        else:
            return False
        return True

    def old_text(self, code: int) -> bool:
        """Values written as lines of text, as the oldest pickles have them."""
        if code in (ord("I"), ord("L")):
            text = self.line()
            self.stack.append({b"00": False, b"01": True}[text] if text in (b"00", b"01") else int(text.rstrip(b"L")))
        elif code == ord("S"):
            text = self.line()
            if len(text) < 2 or text[:1] != text[-1:] or text[:1] not in b"'\"":
                raise HarmedPickleError("it has a string without quotes")
            self.stack.append(_ESCAPE.sub(_unescaped, text[1:-1]))
        elif code == ord("V"):
            self.stack.append(str(self.line(), "raw-unicode-escape"))
        else:
            return False
        return True

    def array(self, code: int) -> None:
        """Instructions that name, announce and fill an array; the last resort."""
        if code == ord("c"):
            module, name = str(self.line(), "utf-8"), str(self.line(), "utf-8")
            self.stack.append(_named(module, name))
        elif code == 0x93:
            name, module = self.stack.pop(), self.stack.pop()
            self.stack.append(_named(_of_type(module, str), _of_type(name, str)))
        elif code == ord("R"):
            arguments, function = _of_type(self.stack.pop(), tuple), _of_type(self.stack.pop(), _Name)
            encoding = function.name == "encode" and arguments[1] == "latin1"
            self.stack.append(self.encoded(arguments[0]) if encoding else _made(function.name, arguments))
        elif code == ord("b"):
            state = _of_type(self.stack.pop(), tuple)
            _fill(self.stack[-1], state)
        else:
            raise HarmedPickleError(f"it has an instruction (0x{code:02x}) that plain values and arrays do not need")

    def encoded(self, text: object) -> bytes:
        """Bytes that were written as text. Each text is meant once, so together they cannot outgrow the file."""
        made = _of_type(text, str).encode("latin-1")
        self.encoded_bytes += len(made)
        if self.encoded_bytes > len(self.data):
            raise HarmedPickleError("it makes more bytes than it has")
        return made


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code[1:], 16)]) if len(code) == 3 else {b"n": b"\n", b"r": b"\r", b"t": b"\t"}.get(code, code)


def _add(target: object, values: list[object]) -> None:
    """More for the list or the dict that is being filled."""
    if isinstance(target, list):
        target.extend(values)
    else:
        _filled(_of_type(target, dict), values)


def _filled(target: dict[object, object], pairs: list[object]) -> dict[object, object]:
    for key, value in zip(pairs[::2], pairs[1::2], strict=True):
        if not isinstance(key, str | bytes | int):
            _refuse(key)
        target[key] = value
    return target


def _named(module: str, name: str) -> _Name:
    if (module, name) not in _ARRAY_PARTS:
        raise HarmedPickleError(f"it asks for {module}.{name}; only dict, list, str, bytes and arrays are read"[:200])
    return _Name(module, name)


def _made(function: str, arguments: tuple[object, ...]) -> object:
    """What the named function would give for these arguments."""
    if function == "dtype":
        code = arguments[0].decode("ascii") if isinstance(arguments[0], bytes) else arguments[0]
        if code not in _NUMBERS:
            raise HarmedPickleError("it has an array of something other than whole numbers")
        return _Dtype(_of_type(code, str))
    if function == "_reconstruct":
        return _Array()
    if function == "scalar":
        return int(_values(arguments[1], arguments[0], (1,), "C")[0])
    if function == "_frombuffer":
        order = "F" if arguments[3] == "F" else "C"
        return _Array(_values(arguments[0], arguments[1], arguments[2], order))
    return _refuse(function)


def _fill(target: object, state: tuple[object, ...]) -> None:
    """Gives an announced array its contents, or a type its byte order."""
    if isinstance(target, _Dtype):
        order = state[1].decode("ascii") if isinstance(state[1], bytes) else state[1]
        target.order = order if order in ("<", ">") else "="
    elif isinstance(target, _Array) and target.values is None:
        _, shape, dtype, fortran, raw = state
        target.values = _values(raw, dtype, shape, "F" if fortran else "C")
    else:
        _refuse(target)


def _values(raw: object, dtype: object, shape: object, order: str) -> NDArray[np.generic]:
    kind = _of_type(dtype, _Dtype)
    sides = [_of_type(side, int) for side in _of_type(shape, tuple)]
    if not isinstance(raw, bytes | memoryview):
        _refuse(raw)
    real = np.dtype(kind.order + kind.code)
    if len(sides) > 4 or min(sides, default=1) < 0 or math.prod(sides) * real.itemsize != len(raw):
        raise HarmedPickleError(f"an array of shape {tuple(sides)[:5]} does not fit its {len(raw):,} bytes"[:200])
    return np.frombuffer(raw, real).reshape(sides, order="F" if order == "F" else "C")


def _finished(value: object) -> object:
    """Puts the arrays in the place of their announcements, in the top of what was read."""
    if isinstance(value, dict):
        return {key: _finished_one(one) for key, one in value.items()}
    return _finished_one(value)


def _finished_one(value: object) -> object:
    if not isinstance(value, _Array):
        return value
    if value.values is None:
        raise HarmedPickleError("an array has no contents")
    return value.values


def _of_type(value: object, kind: type[Wanted]) -> Wanted:
    return value if isinstance(value, kind) else _refuse(value)


def _refuse(value: object) -> NoReturn:
    raise HarmedPickleError(f"it has a {type(value).__name__} where it cannot be")
