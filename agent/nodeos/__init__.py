"""What a nodeos can do, and the config.ini that it gets."""
