"""The private keys of a key store, for tests that look for them where they must not be."""

from __future__ import annotations

import json
from pathlib import Path


def private_keys(folder: Path) -> list[str]:
    """Of every account and signer in a store's folder, as its files have them."""
    documents = [json.loads((folder / name).read_text()) for name in ("accounts.json", "signing.json")]
    return [row["pvt"] for document in documents for part in ("users", "producers") for row in document[part]]
