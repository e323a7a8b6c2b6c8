"""The agent of a party: a node of its own, keys that stay at home, and a policy that decides what it signs."""
