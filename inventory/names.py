"""Generated account names, as in the bios boot tutorial."""

from __future__ import annotations

import string

_LETTERS = "abcdefghijklmnop"
USER_LIMIT = 16**8
_FIRST = string.ascii_lowercase.replace("r", "")
PRODUCER_LIMIT = 26 + 25 * 26


def user_name(number: int) -> str:
    """`user` and the number in eight digits of base 16, written with a to p: 0 is useraaaaaaaa, 1 useraaaaaaab."""
    if not 0 <= number < USER_LIMIT:
        raise ValueError(f"there is no user {number}")
    return "user" + "".join(_LETTERS[number >> shift & 15] for shift in range(28, -1, -4))


def user_number(account: str) -> int | None:
    """The number for which `user_name` gives this account; None when it is not such a name."""
    letters = account.removeprefix("user")
    if len(account) != 12 or len(letters) != 8 or not set(letters) <= set(_LETTERS):
        return None
    return sum(_LETTERS.index(letter) << 4 * (7 - place) for place, letter in enumerate(letters))


def producer_name(number: int) -> str:
    """defproducera … defproducerz for the first 26, then defproduceaa … defproducezz, skipping those already used."""
    if not 0 <= number < PRODUCER_LIMIT:
        raise ValueError(f"there is no producer {number}")
    if number < 26:
        return "defproducer" + string.ascii_lowercase[number]
    first, second = divmod(number - 26, 26)
    return "defproduce" + _FIRST[first] + string.ascii_lowercase[second]
