"""The agent's key store. Private keys are made here and never leave it; only public keys, signatures and proofs do.

keys/                0700
    accounts.json    0600, the accounts' keys, in the form of the tutorial's file
    signing.json     0600, the same form: block-signing keys of producers, and eosio's key
    successors.json  0600, the same form: the keys that take over from those in signing.json (agent.rekeying)

A key that a keosd holds is listed without its private half, and keosd signs with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from agent.errors import KeyStoreError
from agent.keys.accounts_file import Accounts, KeyPair, identity, pack, public_keys, read
from agent.keys.keosd import Keosd, KeosdKey
from antelope.keys import PrivateKey, PublicKey, SigningKey
from antelope.names import check_name
from inventory.network import GENESIS_ACCOUNT
from support.files import write_atomic
from support.possession import Challenge


class KeyStore:
    """All keys of one agent. A public key is only given out once its private key is on disk. An account's key never
    changes; a block-signing key gives way to its successor (`succeed`, `keep_signer`).

    Names are checked: methods raise BadName. Raises KeyStoreError if its files cannot be read or written.
    """

    def __init__(self, folder: Path, keosd: Keosd | None = None) -> None:
        """Creates the folder and reads its files. keosd: holds the keys whose private half is not here."""
        self._folder = folder
        self._keosd = keosd
        self._guard = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
        except OSError as error:
            raise KeyStoreError(f"{folder}: {error.strerror}") from error
        self._users: Accounts = {}
        self._producers: Accounts = {}
        self._signers: Accounts = {}
        self._successors: Accounts = {}
        self._seen: tuple[object, ...] = ()
        self._refresh()

    @property
    def accounts_file(self) -> Path:
        """Where the accounts' keys lie."""
        return self._folder / "accounts.json"

    @property
    def signing_file(self) -> Path:
        """Where the block-signing keys lie."""
        return self._folder / "signing.json"

    def _refresh(self) -> None:
        """Reads files that have changed: keys are restored while the agent runs."""
        if (now := self._identities()) == self._seen:
            return
        if self.accounts_file.exists():
            self._users, self._producers = self._load(self.accounts_file)
        if self.signing_file.exists():
            _none, self._signers = self._load(self.signing_file)
        _none, successors = self._load(self._successors_file)
        # After a crash the file may still list a successor that has taken over: drop it here.
        self._successors = {name: pair for name, pair in successors.items() if self._signers.get(name) != pair}
        self._seen = now

    def _identities(self) -> tuple[object, ...]:
        """An identity of the files that changes when one of them is written."""
        return tuple(map(identity, (self.accounts_file, self.signing_file, self._successors_file)))

    def pairs(self) -> tuple[Accounts, Accounts, Accounts, Accounts]:
        """All keys of users, producers, signers and their successors: for a backup, and to name those that are lost."""
        self._refresh()
        return dict(self._users), dict(self._producers), dict(self._signers), dict(self._successors)

    def merge(self, users: Accounts, producers: Accounts, signers: Accounts, successors: Accounts) -> None:
        """Adds these keys. Existing keys stay. Raises KeyStoreError if an account has another key."""
        with self._guard:
            self._refresh()
            held = (self._users | self._producers, self._signers, self._successors)
            for given, known in zip((users | producers, signers, successors), held, strict=True):
                for name, pair in given.items():
                    if name in known and known[name].public != pair.public:
                        raise KeyStoreError(f"{name} has another key in this host's key store already")
            kept = {name: pair for name, pair in self._users.items() if name not in producers}
            self._keep(users | kept, producers | self._producers, signers | self._signers)
            self._keep_successors(successors | self._successors)

    def make(self, accounts: Iterable[str], signers: Iterable[str] = ()) -> None:
        """Makes the missing ones of these keys, with a single write."""
        with self._guard:
            self._refresh()
            accounts, signers = [check_name(name) for name in accounts], [check_name(name) for name in signers]
            signers += [name for name in accounts if name == GENESIS_ACCOUNT]
            accounts = [name for name in accounts if name != GENESIS_ACCOUNT]
            new_signers = {name: KeyPair.generate() for name in signers if name not in self._signers}
            producing = self._signers.keys() | new_signers.keys()
            users, producers = dict(self._users), dict(self._producers)
            for name in producing & users.keys():  # it was made before it was known to be a producer
                producers[name] = users.pop(name)
            for name in accounts:
                if name not in users and name not in producers:
                    (producers if name in producing else users)[name] = KeyPair.generate()
            self._keep(users, producers, self._signers | new_signers)

    def account_key(self, name: str) -> PublicKey:
        """An account's key, made when it is missing. eosio's is the one that the genesis node signs with."""
        if self._account(name) is None:
            self.make([name])
        pair = self._account(name)
        assert pair is not None  # noqa: S101 (made just now)
        return PublicKey.parse(pair.public)

    def signer_key(self, account: str) -> PublicKey:
        """The key that the account's node signs blocks with, made when it is missing."""
        self._refresh()
        if account not in self._signers:
            self.make([], [account])
        return PublicKey.parse(self._signers[account].public)

    def key(self, account: str) -> PrivateKey | KeosdKey:
        """An account's key, to sign with. Raises KeyError when there is none, KeyStoreError when no keosd is known."""
        return self._signing(self._pair(account))

    def signers(self, account: str) -> tuple[PrivateKey | KeosdKey, ...]:
        """The keys that the account's node signs blocks with: the current one, then its successor, if there is one.
        Raises as `key` does.
        """
        self._refresh()
        pairs = [self._signers[account]]
        if account in self._successors:
            pairs.append(self._successors[account])
        return tuple(self._signing(pair) for pair in pairs)

    def signer_keys(self, account: str) -> tuple[PublicKey, ...]:
        """The public halves of `signers`; empty if there is none."""
        self._refresh()
        pairs = (held.get(account) for held in (self._signers, self._successors))
        return tuple(PublicKey.parse(pair.public) for pair in pairs if pair)

    def succeed(self, account: str, given: KeosdKey | None = None) -> PublicKey:
        """The successor of the account's block-signing key: made, or `given`, unless there is one already. If the
        account has no key yet, its first one is made.

        Raises KeyStoreError for eosio, for a key in keosd without a given successor, and for another successor.
        """
        if account == GENESIS_ACCOUNT:
            raise KeyStoreError("eosio's key is in the genesis block, and cannot change")
        with self._guard:
            self._refresh()
            current, known = self._signers.get(check_name(account)), self._successors.get(account)
            if known and given and known.public != str(given.public):
                raise KeyStoreError(f"another key takes over for {account} already: {known.public}")
            if known:
                return PublicKey.parse(known.public)
            if current and current.in_keosd and given is None:
                raise KeyStoreError(
                    f"a keosd has the block-signing key of {account}, and an agent makes no keys there: make one "
                    "(cleos wallet create_key) and name it (agent rotate --producer-key EOS...)"
                )
            made = KeyPair.of(given) if given else KeyPair.generate()
            if current is None:
                self._keep(self._users, self._producers, self._signers | {account: made})
            elif current.public != made.public:
                self._keep_successors(self._successors | {account: made})
            return PublicKey.parse(made.public)

    def keep_signer(self, account: str, kept: PublicKey | None) -> None:
        """Removes the account's block-signing keys but this one; None: all of them.

        Raises KeyStoreError if `kept` is not here; then all stay.
        """
        with self._guard:
            self._refresh()
            held = {pair.public: pair for store in (self._signers, self._successors) if (pair := store.get(account))}
            if kept is not None and str(kept) not in held:
                raise KeyStoreError(f"{self._folder} has no block-signing key {kept} of {account}")
            signers = {name: pair for name, pair in self._signers.items() if name != account}
            if kept is not None:
                signers = self._signers | {account: held[str(kept)]}
            self._keep(self._users, self._producers, signers)
            self._keep_successors({name: pair for name, pair in self._successors.items() if name != account})

    @property
    def users(self) -> tuple[str, ...]:
        """The accounts that have keys here and are not producers, sorted."""
        return tuple(sorted(self._users))

    @property
    def in_keosd(self) -> tuple[PublicKey, ...]:
        """The keys that a keosd has."""
        stores = (self._users, self._producers, self._signers, self._successors)
        pairs = (pair for store in stores for pair in store.values())
        return tuple(dict.fromkeys(PublicKey.parse(pair.public) for pair in pairs if pair.in_keosd))

    def private(self, account: str) -> PrivateKey:
        """An account's private key. Raises KeyError if it is not on this host or is in a keosd."""
        pair = self._pair(account)
        if pair.in_keosd:
            raise KeyError(f"a keosd has the key of {account} already")
        return pair.private

    def prove(self, key: PublicKey, account: str, challenge: Challenge) -> str:
        """A signature (SIG_K1_…) that proves possession of an account's or signer's key. Raises KeyError for other
        keys.

        If a keosd holds the key, it may block and raise KeosdError.
        """
        self._refresh()
        for pair in (self._account(account), self._signers.get(account), self._successors.get(account)):
            if pair and pair.public == str(key):
                return str(self._signing(pair).sign(challenge.digest(account)))
        raise KeyError(f"this host has no such key of {account}: {key}")

    def import_accounts(self, path: str | Path) -> tuple[dict[str, PublicKey], dict[str, PublicKey]]:
        """Imports the keys of an accounts.json. Returns the public keys of its users and producers.

        Importing the same file again changes nothing. Raises KeyStoreError, also if an account has another key here.
        """
        users, producers = read(Path(path))
        with self._guard:
            self._refresh()
            for name, pair in (users | producers).items():
                known = self._account(name)
                if known and known.public != pair.public:
                    raise KeyStoreError(f"{path}: {name} has another key in this host's key store already")
            known_users = {name: pair for name, pair in self._users.items() if name not in producers}
            self._keep(known_users | users, self._producers | producers, self._signers)
        return public_keys(users.items()), public_keys(producers.items())

    def adopt(self, account: str, *, key: SigningKey | None = None, signer: SigningKey | None = None) -> None:
        """Adopts an existing account key or block-signing key: the private key itself, or a key that a keosd holds.

        If the same key is here already, it moves to where it was given: into the store, or to keosd alone. Raises
        KeyStoreError if another key is here.
        """
        with self._guard:
            self._refresh()
            for given, held in ((key, self._account(check_name(account))), (signer, self._signers.get(account))):
                if given and held and held.public != str(given.public):
                    raise KeyStoreError(
                        f"{self._folder} has another key of {account} already: {held.public}",
                        hint="leave it out if that one has succeeded it (agent rotate)" if given is signer else "",
                    )
            users, producers, signers = dict(self._users), dict(self._producers), dict(self._signers)
            if signer:
                signers[account] = KeyPair.of(signer)
            if key:
                (users if account in users else producers)[account] = KeyPair.of(key)
            self._keep(users, producers, signers)

    def _signing(self, pair: KeyPair) -> PrivateKey | KeosdKey:
        if not pair.in_keosd:
            return pair.private
        if self._keosd is None:
            raise KeyStoreError(f"a keosd holds the key {pair.public}: name its address (keosd, docs/joining.md)")
        return self._keosd.key(PublicKey.parse(pair.public))

    def _pair(self, account: str) -> KeyPair:
        pair = self._account(account)
        if pair is None:
            raise KeyError(f"this host has no key of {account}")
        return pair

    def _account(self, name: str) -> KeyPair | None:
        self._refresh()
        if name == GENESIS_ACCOUNT:
            return self._signers.get(name)
        return self._users.get(name) or self._producers.get(name)

    def _keep(self, users: Accounts, producers: Accounts, signers: Accounts) -> None:
        """Writes changes to disk before they take effect."""
        try:
            if (users, producers) != (self._users, self._producers):
                self._write(self.accounts_file, pack(users, producers))
            self._users, self._producers = users, producers
            if signers != self._signers:
                self._write(self.signing_file, pack({}, signers))
            self._signers = signers
            self._seen = self._identities()
        except OSError as error:
            raise KeyStoreError(f"cannot keep keys in {self._folder}: {error.strerror}") from error

    def _keep_successors(self, successors: Accounts) -> None:
        """The same for successors."""
        try:
            if successors != self._successors:
                self._write(self._successors_file, pack({}, successors))
            self._successors = successors
            self._seen = self._identities()
        except OSError as error:
            raise KeyStoreError(f"cannot keep keys in {self._folder}: {error.strerror}") from error

    def _write(self, path: Path, keys: bytes) -> None:
        self._folder.mkdir(exist_ok=True, mode=0o700)  # it may be lost while the agent runs
        write_atomic(path, keys, 0o600)

    @property
    def _successors_file(self) -> Path:
        return self._folder / "successors.json"

    def _load(self, path: Path) -> tuple[Accounts, Accounts]:
        if not path.exists():
            return {}, {}
        path.chmod(0o600)
        return read(path, trusted=True)

    def __repr__(self) -> str:
        return f"KeyStore({str(self._folder)!r}, {len(self._users) + len(self._producers)} accounts)"
