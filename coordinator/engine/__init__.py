"""How a plan is carried out: `executor` decides (pure), `runner` does, and `access` chooses the node that answers."""
