"""The tasks that an agent carries out for a coordinator, and what the agents of hosts and of parties share."""
