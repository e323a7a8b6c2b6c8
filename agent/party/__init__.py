"""The agent of a party: it runs the party's own node, keeps its keys, and signs only what its policy allows."""
