"""The host's nodes: started, watched, stopped, found again."""
