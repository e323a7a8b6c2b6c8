"""Opens a network for a command, and checks that its inventory is still the sealed one."""
