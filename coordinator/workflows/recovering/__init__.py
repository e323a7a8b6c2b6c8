"""What brings a network's state back: backup and restore, adoption, checkpoints."""
