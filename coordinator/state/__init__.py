"""What a network's state folder keeps between commands, and how two commands on one machine talk."""
