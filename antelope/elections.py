"""Numbers built into eosio.system and nodeos: votes, the schedule, and how long turns last.

Source: eosio.system.hpp (min_activated_stake) and voting.cpp (update_elected_producers, update_votes) of
AntelopeIO/reference-contracts; config.hpp (max_producers, block_interval_ms, producer_repetitions) of AntelopeIO/leap.
"""

from __future__ import annotations

MIN_ACTIVATED_STAKE = 1_500_000_000_000
"""Stake that must have voted before any producer is elected.

An absolute number of smallest units, whatever the precision: 150,000,000.0000 tokens with the usual four decimals.
"""

MAX_SCHEDULE = 21
"""Producers in a schedule that an election produces, at most."""

MAX_VOTED_PRODUCERS = 30
"""Producers that one vote may name."""

MAX_PRODUCERS = 125
"""Producers in any schedule that nodeos accepts, at most."""

BLOCK_SECONDS = 0.5

BLOCKS_PER_TURN = 12
"""Blocks in a row that a scheduled producer signs."""

TURN_SECONDS = BLOCKS_PER_TURN * BLOCK_SECONDS

ELECTION_SECONDS = 120.0
"""Seconds until the system contract has counted the votes, which it does once a minute, with as much again to spare."""

SCHEDULE_ROUNDS = 6
"""Rounds until an election's outcome is in an irreversible schedule. It is first proposed, then pending, then active;
each state takes a little over a round to become irreversible."""
