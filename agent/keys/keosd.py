"""Putting keys into a keosd wallet, for who wants to use cleos with them. Over HTTP, so that no key is in any argv."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

from antelope.keys import PrivateKey, PublicKey
from support.files import write_atomic

_SECONDS = 30.0


class KeosdError(Exception):
    """keosd refused or cannot be reached; one line says why. code: keosd's own, 0 when there was no answer."""

    def __init__(self, message: str, code: int = 0) -> None:
        super().__init__(message)
        self.code = code


_WALLET_EXISTS, _KEY_EXISTS, _ALREADY_UNLOCKED = 3120001, 3120008, 3120007
# Source: libraries/chain/include/eosio/chain/exceptions.hpp of AntelopeIO/leap, wallet_exception.


async def import_keys(
    keosd: str, wallet: str, keys: Iterable[PrivateKey], password_file: Path
) -> tuple[PublicKey, ...]:
    """Puts the keys into that wallet, which is created where it is missing; all public keys that it then has.

    keosd: `http://127.0.0.1:8900`, or the path of its Unix socket. password_file: 0600, holds the wallet's password,
    written when the wallet is created. Doing it again changes nothing. Raises KeosdError, OSError.
    """
    async with _Keosd(keosd) as api:
        password = await _opened(api, wallet, password_file)
        for key in keys:
            await api.call("import_key", [wallet, key.wif], fine=_KEY_EXISTS)
        pairs = await api.call("list_keys", [wallet, password])
    return tuple(PublicKey.parse(public) for public, _secret in pairs)


async def _opened(api: _Keosd, wallet: str, password_file: Path) -> str:
    """The password of the wallet, which is unlocked then."""
    created = await api.call("create", wallet, fine=_WALLET_EXISTS)
    if created is not None:
        write_atomic(password_file, f"{created}\n".encode(), 0o600)
        return str(created)
    if not password_file.is_file():
        raise KeosdError(
            f"keosd has a wallet {wallet!r} already, and its password is not in {password_file}: name another"
        )
    password = password_file.read_text().strip()
    await api.call("open", wallet)
    await api.call("unlock", [wallet, password], fine=_ALREADY_UNLOCKED)
    return password


class _Keosd:
    def __init__(self, address: str) -> None:
        self._address = address
        unix = address.startswith("/")
        self._base = "http://localhost" if unix else address.rstrip("/")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(address) if unix else aiohttp.TCPConnector(),
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
        )

    async def __aenter__(self) -> _Keosd:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def call(self, name: str, body: object, fine: int = 0) -> Any:
        """keosd's answer, None when it refused with the code that is fine. Errors never repeat the (secret) body."""
        try:
            async with self._session.post(f"{self._base}/v1/wallet/{name}", data=json.dumps(body)) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            kind = type(error).__name__
            raise KeosdError(f"keosd at {self._address} does not answer ({kind}): is it running?") from error
        if response.status <= 202:
            return answer
        fault = answer.get("error", {}) if isinstance(answer, dict) else {}
        if fine and fault.get("code") == fine:
            return None
        raise KeosdError(f"keosd refused {name}: {fault.get('what', f'HTTP {response.status}')}", fault.get("code", 0))
