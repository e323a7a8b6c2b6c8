"""Names, symbols and assets: what is accepted, what is refused and why, and that nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antelope.asset import MAX_AMOUNT, Asset, Symbol
from antelope.errors import BadAsset, BadName
from antelope.names import check_name, int_to_name, is_name, name_to_int, pack_name

ALPHABET = ".12345abcdefghijklmnopqrstuvwxyz"
SYMBOLS = st.builds(Symbol, st.integers(0, 18), st.from_regex(r"[A-Z]{1,7}", fullmatch=True))
AMOUNTS = st.integers(-MAX_AMOUNT, MAX_AMOUNT)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", 0),
        ("eosio", 6138663577826885632),
        ("eosio.token", 0x5530EA033482A600),
        ("a", 6 << 59),
        ("zzzzzzzzzzzzj", (1 << 64) - 1),
        ("............1", 1),
    ],
)
def test_known_names(text: str, value: int) -> None:
    """Values of well-known names, the empty one and the largest."""
    assert name_to_int(text) == value
    assert int_to_name(value) == text
    assert pack_name(text) == value.to_bytes(8, "little")


@given(st.integers(0, (1 << 64) - 1))
def test_every_64_bits_are_a_name(value: int) -> None:
    """Each value has one text, which gives it back."""
    assert name_to_int(int_to_name(value)) == value


@given(st.text(alphabet=ALPHABET, max_size=12))
def test_canonical_names_are_those_that_come_back(text: str) -> None:
    """is_name accepts exactly the non-empty texts that survive the way to 64 bits and back."""
    assert is_name(text) == (bool(text) and not text.endswith("."))
    if is_name(text):
        assert int_to_name(name_to_int(text)) == text == check_name(text)


@given(st.text(max_size=16))
def test_check_name_agrees_with_is_name(text: str) -> None:
    """Whatever the text, check_name returns it or raises BadName, never anything else."""
    if is_name(text):
        assert check_name(text) == text
    else:
        with pytest.raises(BadName):
            check_name(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("Alice", "'A'"),
        ("user6", "'6'"),
        ("a\n", r"\\n"),
        ("alice.", "ends with a dot"),
        ("a" * 13, "more than 12"),
        ("\uff41", "are allowed"),
    ],
)
def test_refused_names_say_why(text: str, reason: str) -> None:
    """The message names the fault."""
    with pytest.raises(BadName, match=reason):
        check_name(text)


def test_the_13th_character_has_4_bits() -> None:
    """Past j the 13th character is refused, and so is a 14th."""
    for text in ("aaaaaaaaaaaak", "a" * 14):
        with pytest.raises(BadName):
            name_to_int(text)


@given(AMOUNTS, SYMBOLS)
def test_assets_survive_text_and_bytes(amount: int, symbol: Symbol) -> None:
    """An asset comes back from its text and from its bytes."""
    asset = Asset(amount, symbol)
    assert Asset.parse(str(asset)) == asset
    assert Asset.parse(str(asset), symbol) == asset
    assert Asset.unpack(asset.pack()) == asset
    assert Symbol.parse(str(symbol)) == symbol == Symbol.unpack(symbol.pack())


@pytest.mark.parametrize(
    ("text", "packed"),
    [
        ("1.0000 SYS", "10270000000000000453595300000000"),
        ("-0.5 A", "fbffffffffffffff0141000000000000"),
        ("7 ABCDEFG", "07000000000000000041424344454647"),
    ],
)
def test_known_assets(text: str, packed: str) -> None:
    """Bytes of assets as nodeos packs them."""
    assert Asset.parse(text).pack().hex() == packed
    assert str(Asset.unpack(bytes.fromhex(packed))) == text


@pytest.mark.parametrize(
    "text",
    ["", "1.0000", "SYS", "1. SYS", ".5 SYS", "1.0 sys", "1.0  SYS", " 1.0 SYS", "1.0 SYS ", "1e3 SYS", "+1 SYS",
     "1,0 SYS", "1.0 ABCDEFGH", "0.0000000000000000000 A", "4611686018427387904 A",
     "9" * 5000 + " A", "\u0661 A", "1.0 SYS\n"],
)  # fmt: skip
def test_refused_assets(text: str) -> None:
    """A text that nodeos would not read, or would read differently, is BadAsset."""
    with pytest.raises(BadAsset):
        Asset.parse(text)


def test_wrong_precision_says_what_is_expected() -> None:
    """With a symbol demanded, another precision is refused with the right form in the message."""
    with pytest.raises(BadAsset, match=r"expected 4,SYS: write it like '0\.0000 SYS'"):
        Asset.parse("1.00 SYS", Symbol(4, "SYS"))


@given(AMOUNTS, AMOUNTS)
def test_sums_stay_within_bounds(first: int, second: int) -> None:
    """Sums and differences are exact, or refused beyond the bounds."""
    symbol = Symbol(4, "SYS")
    for total, operation in ((first + second, Asset.__add__), (first - second, Asset.__sub__)):
        if abs(total) <= MAX_AMOUNT:
            assert operation(Asset(first, symbol), Asset(second, symbol)) == Asset(total, symbol)
        else:
            with pytest.raises(BadAsset):
                operation(Asset(first, symbol), Asset(second, symbol))


def test_symbols_do_not_mix() -> None:
    """Adding amounts of different symbols is refused, also when only the precision differs."""
    with pytest.raises(BadAsset, match="different symbols"):
        _ = Asset(1, Symbol(4, "SYS")) + Asset(1, Symbol(3, "SYS"))


@pytest.mark.parametrize("text", ["19,SYS", "4, SYS", "4,", "SYS", "4,sys", "-1,SYS", "004,SYS"])
def test_refused_symbols(text: str) -> None:
    """Precision 0 to 18, a comma, 1 to 7 capital letters, and nothing else."""
    with pytest.raises(BadAsset):
        Symbol.parse(text)
