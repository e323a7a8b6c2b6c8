"""Numbers that eosio.system and nodeos have built in, about votes and the schedule.

Source: eosio.system.hpp (min_activated_stake) and voting.cpp (update_elected_producers, update_votes) of
AntelopeIO/reference-contracts; config.hpp (max_producers) of AntelopeIO/leap.
"""

from __future__ import annotations

MIN_ACTIVATED_STAKE = 1_500_000_000_000
"""Stake that must have voted before anybody is scheduled.

An absolute number of smallest units, whatever the precision: 150,000,000.0000 tokens with the usual four decimals.
"""

MAX_SCHEDULE = 21
"""Producers in a schedule that an election makes."""

MAX_VOTED_PRODUCERS = 30
"""Producers that one vote names."""

MAX_PRODUCERS = 125
"""Producers in any schedule that nodeos accepts."""
