"""What a person could type instead of a step's work."""

from __future__ import annotations

import json
import shlex

from antelope.cleos import cleos_command
from boot.step import Push, Work


def cleos_lines(work: Work) -> list[str]:
    """A command line for each action, quoted for a POSIX shell; for features that are scheduled, curl's.

    The boot sends all actions of a Push in one transaction; typed one by one they have the same effect.
    """
    if isinstance(work, Push):
        return [cleos_command(action) for action in work.actions]
    body = json.dumps({"protocol_features_to_activate": list(work.digests)}, separators=(",", ":"))
    url = "http://127.0.0.1:8888/v1/producer/schedule_protocol_feature_activations"
    return [shlex.join(["curl", "--data", body, url])]
