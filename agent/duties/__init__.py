"""What an agent does for a coordinator: each task, and what the agents of hosts and of parties share in doing it."""
