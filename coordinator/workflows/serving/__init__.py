"""What a running coordinator does beside its command: helps parties, keeps agents, and answers other terminals."""
