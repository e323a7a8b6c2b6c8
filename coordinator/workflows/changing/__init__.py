"""Changes to a network that runs: an edited inventory, and the commands for nodes, hosts and producers."""
