"""The state folder that a network keeps between commands, and the socket between two commands on one machine."""
