"""What a user does with a network that runs: cleos, keys, transfers, claims and snapshots."""
