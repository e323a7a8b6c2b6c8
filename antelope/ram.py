"""The RAM market of eosio.system, in the contract's own arithmetic.

RAM and core token form a Bancor pair of equal weights. Prices are computed in double precision and truncated to
integers; a fee of 0.5 % (rounded up) is deducted first. The market's row is in `rammarket`, scope `eosio`.
Source: exchange_state.cpp (get_bancor_output) and delegate_bandwidth.cpp (buyram) of AntelopeIO/reference-contracts.
"""

from __future__ import annotations

from dataclasses import dataclass

from antelope.errors import AntelopeError

INITIAL_RAM_BYTES = 64 << 30
"""Bytes for sale when `init` opens the market, against a thousandth of the supply."""
_QUOTE_SHARE = 1000
_FEE_DIVISOR = 200


@dataclass(frozen=True, slots=True)
class RamMarket:
    """base_balance: bytes of RAM for sale; quote_balance: core tokens, in the smallest unit."""

    base_balance: int
    quote_balance: int

    @classmethod
    def at_init(cls, supply: int) -> RamMarket:
        """The market that `init` opens. supply: the core token's, in the smallest unit."""
        return cls(INITIAL_RAM_BYTES, supply // _QUOTE_SHARE)

    def bytes_for(self, quantity: int) -> tuple[int, RamMarket]:
        """The bytes that buyram gives for a quantity (smallest units, fee included), and the market afterwards.

        Raises AntelopeError when the quantity buys nothing, which the contract rejects.
        """
        after_fee = quantity - fee(quantity)
        if quantity <= 0 or after_fee <= 0:
            raise AntelopeError(f"{quantity} units buy no RAM: the fee takes all of it")
        # float() and int() are the contract's double and its cast to int64.
        received = int((float(after_fee) * float(self.base_balance)) / (float(self.quote_balance) + float(after_fee)))
        if received <= 0:
            raise AntelopeError(f"{quantity} units buy less than one byte of RAM")
        return received, RamMarket(self.base_balance - received, self.quote_balance + after_fee)


def fee(quantity: int) -> int:
    """The fee of 0.5 %, rounded up, that buyram deducts from a quantity."""
    return (quantity + _FEE_DIVISOR - 1) // _FEE_DIVISOR
