"""Carries out a plan: `executor` decides (pure), `runner` acts, and `access` chooses the node that answers."""
