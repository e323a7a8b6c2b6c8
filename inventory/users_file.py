"""Reads a CSV of users: account, public key, balance; the first line may be a header."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from antelope.asset import Asset, Symbol
from antelope.errors import BadAsset, FormatError
from antelope.keys import PublicKey
from antelope.names import int_to_name, name_to_int
from inventory import staking, syntax
from inventory.columns import KEY_BYTES, NOBODY, Columns
from inventory.errors import Problem, Problems
from inventory.network import StakeRule

if TYPE_CHECKING:
    from inventory.users_bulk import Lines, Numbers

HEADER = ("account", "public key", "balance")
_SHOWN = 20
"""Problems of one file that are reported one by one."""
_AT_ONCE = 4 << 20
"""Bytes of the file in memory at a time."""
_NOT_PLAIN = (b'"', b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e")
"""Quotes, which may span lines, and unusual line ends: a file with these is read by Python's csv module."""

Progress = Callable[[int, int], None]
"""Called with the bytes read so far and the bytes of the file."""


def read_users(
    path: Path, symbol: Symbol, rule: StakeRule, problems: Problems, progress: Progress | None = None
) -> Columns:
    """The file's valid rows. Problems name the file and the line."""
    reading = _Reading(path.name, symbol, rule)
    try:
        if not reading.plainly(path, progress):
            reading = _Reading(path.name, symbol, rule)
            reading.one_by_one(path)
    except OSError as error:
        problems.add("users.csv", f"{path} cannot be read: {error.strerror}")
        return NOBODY
    except UnicodeDecodeError:
        problems.add("users.csv", f"{path} is not UTF-8")
        return NOBODY
    columns = reading.finish()
    found = [problem for _, problem in sorted(reading.found, key=lambda one: one[0])]
    problems.extend(found[:_SHOWN])
    if len(found) > _SHOWN:
        problems.add("users.csv", f"{path.name} has {len(found) - _SHOWN} more problems")
    if not len(columns.names) and not found:
        problems.add("users.csv", f"{path} contains no rows")
    return columns


def users_of(path: Path, source: object, symbol: Symbol, rule: StakeRule) -> Columns:
    """The file's rows. source: the inventory that names it. Raises InventoryError with everything that is wrong."""
    problems = Problems()
    columns = read_users(path, symbol, rule, problems)
    problems.check(source)
    return columns


@dataclass
class _Reading:
    """The part of one file that was read so far."""

    name: str
    symbol: Symbol
    rule: StakeRule
    found: list[tuple[int, Problem]] = field(default_factory=list)
    """Problems, each with its line."""
    line: int = 0
    """The last line that was read."""
    names: array[int] = field(default_factory=lambda: array("Q"))
    keys: io.BytesIO = field(default_factory=io.BytesIO)
    balances: array[int] = field(default_factory=lambda: array("q"))
    lines: array[int] = field(default_factory=lambda: array("I"))

    def plainly(self, path: Path, progress: Progress | None) -> bool:
        """Reads the file many lines at a time. Returns False if its form is not simple enough for that."""
        size, read = path.stat().st_size, 0
        for text in _texts(path):
            if any(character in text for character in _NOT_PLAIN) or text.count(b"\r") != text.count(b"\r\n"):
                return False
            self._many(text)
            read += len(text)
            if progress:
                progress(min(read, size), size)
        return True

    def one_by_one(self, path: Path) -> None:
        """Reads the file with Python's csv module."""
        with path.open(encoding="utf-8-sig", newline=None) as file:
            lines = csv.reader((line for text in file for line in text.splitlines()), strict=True)
            while True:
                try:
                    fields = next(lines)
                except StopIteration:
                    return
                except csv.Error as error:
                    self._add(lines.line_num, f"{self._place(lines.line_num)}: {error}")
                    return
                self._row(fields, lines.line_num)

    def _many(self, text: bytes) -> None:
        from inventory.users_bulk import read_lines  # numpy takes 0.1 s to import

        found = read_lines(text, self.symbol, staking.least(self.rule))
        numbers = self.line + 1
        plain = found.plain.nonzero()[0]
        taken = 0
        for place in (~found.plain).nonzero()[0].tolist():
            upto = int(plain.searchsorted(place))
            self._take(found, slice(taken, upto), plain[taken:upto] + numbers)
            taken = upto
            line = text[int(found.starts[place]) : int(found.ends[place])].decode()
            self._row(line.split(","), numbers + place)
        self._take(found, slice(taken, None), plain[taken:] + numbers)
        self.line += len(found.starts)

    def _take(self, found: Lines, part: slice, lines: Numbers) -> None:
        self.names.frombytes(found.names[part].tobytes())
        self.keys.write(found.keys[part].tobytes())
        self.balances.frombytes(found.balances[part].tobytes())
        self.lines.frombytes(lines.astype("uint32").tobytes())

    def _row(self, written: list[str], line: int) -> None:
        """Reads one line in any form."""
        fields = [one.strip() for one in written]
        if fields in ([], [""]):
            return
        if line == 1 and _is_header(fields):
            if len(fields) != len(HEADER):
                message = f"{self._place(line)}: the header has {len(fields)} columns, not 3"
                self._add(line, message, f"the columns must be: {', '.join(HEADER)}")
            return
        if len(fields) != len(HEADER):
            message = f"{self._place(line)}: {len(fields)} fields, not 3"
            self._add(line, message, f"a line must be: {', '.join(HEADER)}")
            return
        account = self._account(fields[0], line)
        key = self._key(fields[1], line)
        balance = self._balance(fields[2], line)
        if account is not None and key is not None and balance is not None:
            self.names.append(account)
            self.keys.write(key)
            self.balances.append(balance)
            self.lines.append(line)

    def _account(self, text: str, line: int) -> int | None:
        wrong = syntax.account(text)
        if wrong:
            self._add(line, f"{self._place(line)}: {wrong}")
        return None if wrong else name_to_int(text)

    def _key(self, text: str, line: int) -> bytes | None:
        try:
            packed = PublicKey.parse(text).pack()
        except FormatError as error:
            self._add(line, f"{self._place(line)}: {error}")
            return None
        if len(packed) != KEY_BYTES:
            self._add(line, f"{self._place(line)}: a WebAuthn key (PUB_WA_…) cannot be in an allocation")
            return None
        return packed

    def _balance(self, text: str, line: int) -> int | None:
        """An amount with or without the symbol's code; it must have all decimals."""
        try:
            amount = Asset.parse(text if " " in text else f"{text} {self.symbol.code}", self.symbol).amount
        except BadAsset as error:
            self._add(line, f"{self._place(line)}: {error}")
            return None
        least = staking.least(self.rule)
        if amount >= least:
            return amount
        shown = Asset(amount, self.symbol)
        message = f"{self._place(line)}: {shown} does not cover RAM and the minimum stake"
        self._add(line, message, f"{Asset(least, self.symbol)} does")
        return None

    def _place(self, line: int) -> str:
        return f"{self.name} line {line}"

    def _add(self, line: int, message: str, hint: str = "") -> None:
        self.found.append((line, Problem("users.csv", message, hint)))

    def finish(self) -> Columns:
        """All rows; reports accounts that are listed twice."""
        self._twice()
        return Columns(self.names, self.keys.getvalue(), self.balances)

    def _twice(self) -> None:
        import numpy as np

        names = np.frombuffer(self.names, dtype=np.uint64)
        order = names.argsort(kind="stable")
        again = np.flatnonzero(names[order][1:] == names[order][:-1]) + 1
        for place in order[again].tolist():
            line = self.lines[place]
            self._add(line, f"{self._place(line)}: {int_to_name(self.names[place])} is listed twice")


def _is_header(fields: list[str]) -> bool:
    """Whether the first line names columns: it has no digit, and every row has some in its balance."""
    return not any(map(str.isdigit, "".join(fields)))


def _texts(path: Path) -> Iterator[bytes]:
    """The file in parts of whole lines, each ended by an end of line, without a byte order mark."""
    with path.open("rb") as file:
        rest = file.read(3).removeprefix(b"\xef\xbb\xbf")
        while part := file.read(_AT_ONCE):
            rest += part
            whole = rest.rfind(b"\n") + 1
            if whole:
                yield rest[:whole]
                rest = rest[whole:]
        if rest:
            yield rest + b"\n"
