"""The primitive binary encodings: integers, varuint32, length-prefixed bytes and strings.

Format: libraries/libfc/include/fc/io/raw.hpp of AntelopeIO/leap; all integers little-endian.
"""

from __future__ import annotations

from antelope.errors import AbiError


def pack_varuint32(value: int) -> bytes:
    """LEB128 encoding of an unsigned 32-bit integer. Raises AbiError when it is out of range."""
    if 0 <= value < 0x80:
        return value.to_bytes(1, "little")
    if not 0 <= value < 1 << 32:
        raise AbiError(f"{value} does not fit varuint32")
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def pack_bytes(data: bytes) -> bytes:
    """Bytes prefixed with their length."""
    return pack_varuint32(len(data)) + data


def pack_string(text: str) -> bytes:
    """A string in UTF-8, prefixed with its length in bytes. Raises AbiError on lone surrogates."""
    try:
        return pack_bytes(text.encode())
    except UnicodeEncodeError as error:
        raise AbiError(f"the string is not valid Unicode: {error.reason}") from error


VALUES = 1 << 18
"""Maximum values in one piece of packed data. Values that take no bytes count too, because an ABI can have any number
of them. A transaction, with at most 512 KiB, has a tenth of that.
"""


class Reader:
    """Reads packed bytes from front to back. Raises AbiError if they end too early, or have too many values."""

    __slots__ = ("_data", "_position", "_values")

    def __init__(self, data: bytes, values: int = VALUES) -> None:
        """values: the most values that may be read from the bytes."""
        self._data = data
        self._position = 0
        self._values = values

    def spend(self, values: int = 1) -> None:
        """Counts values that are about to be read. Raises AbiError when there are too many."""
        self._values -= values
        if self._values < 0:
            raise AbiError(f"more values than may be read at once, at byte {self._position}")

    @property
    def remaining(self) -> int:
        """Bytes not read yet."""
        return len(self._data) - self._position

    def take(self, count: int) -> bytes:
        """The next bytes."""
        if count > self.remaining:
            raise AbiError(f"data ends at byte {len(self._data)}, expected {count} bytes at byte {self._position}")
        start = self._position
        self._position += count
        return self._data[start : self._position]

    def unsigned(self, size: int) -> int:
        """An unsigned integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little")

    def signed(self, size: int) -> int:
        """A two's complement integer of `size` bytes."""
        return int.from_bytes(self.take(size), "little", signed=True)

    def varuint32(self) -> int:
        """LEB128, at most 5 bytes and 32 bits."""
        value = 0
        for shift in range(0, 35, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >= 1 << 32:
                    break
                return value
        raise AbiError(f"varuint32 before byte {self._position} is longer than 32 bits")

    def count(self) -> int:
        """The number of elements that follow. Raises AbiError if there are fewer bytes left than elements."""
        value = self.varuint32()
        if value > self.remaining:
            raise AbiError(
                f"{value} elements announced before byte {self._position}, but {self.remaining} bytes are left"
            )
        return value

    def bytes_(self) -> bytes:
        """Length-prefixed bytes."""
        return self.take(self.varuint32())

    def string(self) -> str:
        """A length-prefixed UTF-8 string; invalid bytes become U+FFFD, as in nodeos."""
        return self.bytes_().decode("utf-8", "replace")

    def finish(self) -> None:
        """Raises AbiError when bytes are left over."""
        if self.remaining:
            raise AbiError(f"{self.remaining} bytes left over after byte {self._position}")
