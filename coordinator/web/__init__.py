"""The status page: what anybody may see of a network, served read-only while a command runs."""
