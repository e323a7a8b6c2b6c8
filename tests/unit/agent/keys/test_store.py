"""The agent's key store."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from agent.errors import KeyStoreError
from agent.keys import KeyStore
from agent.keys.accounts_file import IN_KEOSD
from agent.keys.keosd import Keosd
from antelope.errors import BadName
from antelope.keys import PrivateKey, PublicKey, Signature
from inventory.names import user_name
from support.possession import Challenge
from tests.secrets import private_keys


def pair(name: str) -> dict[str, str]:
    """An account's entry in an accounts.json."""
    key = PrivateKey.generate()
    return {"name": name, "pub": str(key.public), "pvt": key.wif}


def write(path: Path, users: list[dict[str, str]], producers: list[dict[str, str]] | None = None) -> Path:
    """An accounts.json."""
    path.write_text(json.dumps({"users": users, "producers": producers or []}))
    return path


def test_a_key_stays_the_same(tmp_path: Path) -> None:
    """An account keeps its key, also for the next process; account key and signing key differ."""
    first = KeyStore(tmp_path / "keys")
    account, signer = first.account_key("defproducera"), first.signer_key("defproducera")
    again = KeyStore(tmp_path / "keys")
    assert (again.account_key("defproducera"), again.signer_key("defproducera")) == (account, signer)
    assert account != signer
    assert again.private("defproducera").public == account
    assert again.signers("defproducera")[0].public == signer


def test_eosio_has_one_key(tmp_path: Path) -> None:
    """eosio's account key is the key that the genesis node signs with."""
    store = KeyStore(tmp_path / "keys")
    assert store.account_key("eosio") == store.signer_key("eosio") == store.private("eosio").public


def test_the_file_has_the_tutorials_form(tmp_path: Path) -> None:
    """accounts.json lists users and producers with name, pub and pvt; neither eosio nor signing keys are in it."""
    store = KeyStore(tmp_path / "keys")
    store.make(["useraaaaaaaa", "defproducera", "eosio"])
    store.make([], ["defproducera"])
    document = json.loads(store.accounts_file.read_text())
    assert [row["name"] for row in document["users"]] == ["useraaaaaaaa"]
    assert [row["name"] for row in document["producers"]] == ["defproducera"]
    for row in document["users"] + document["producers"]:
        assert PrivateKey.parse(row["pvt"]).public == PublicKey.parse(row["pub"]) == store.account_key(row["name"])


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """The folder is 0700 and its files 0600, even after somebody loosened them."""
    store = KeyStore(tmp_path / "keys")
    store.make(["useraaaaaaaa"], ["defproducera"])
    store.accounts_file.chmod(0o644)
    KeyStore(tmp_path / "keys")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "keys").iterdir()} == {0o600}


def test_many_keys_are_made_at_once(tmp_path: Path) -> None:
    """3,000 accounts take a second or so, in one write, and are there afterwards."""
    store, names = KeyStore(tmp_path / "keys"), [user_name(number) for number in range(3000)]
    begun = time.monotonic()
    store.make(names)
    assert time.monotonic() - begun < 10
    again = KeyStore(tmp_path / "keys")
    assert len({store.account_key(name) for name in names} & {again.account_key(name) for name in names}) == 3000


def test_secrets_do_not_show(tmp_path: Path) -> None:
    """Neither the store's repr, nor its pairs', nor its attributes' holds a private key."""
    store = KeyStore(tmp_path / "keys")
    store.make(["useraaaaaaaa"], ["defproducera"])
    secrets = private_keys(tmp_path / "keys")
    assert len(secrets) == 2
    shown = repr(store) + repr(vars(store)) + repr(store.private("useraaaaaaaa"))
    assert not any(secret in shown for secret in secrets)


def test_a_proof_is_by_the_key_and_for_this_account_only(tmp_path: Path) -> None:
    """A proof verifies under the key for its account and challenge; a key that is missing proves nothing."""
    store = KeyStore(tmp_path / "keys")
    key, challenge = store.account_key("useraaaaaaaa"), Challenge("devnet", "", b"nonce")
    proof = Signature.parse(store.prove(key, "useraaaaaaaa", challenge))
    assert proof.verify(challenge.digest("useraaaaaaaa"), key)
    assert not proof.verify(challenge.digest("useraaaaaaab"), key)
    with pytest.raises(KeyError):
        store.prove(key, "useraaaaaaab", challenge)
    with pytest.raises(KeyError):
        store.private("nobody")


def test_a_key_in_keosd_is_signed_with_over_there(tmp_path: Path) -> None:
    """Only the public half is stored, no key is made in its place, and without a keosd nothing can be signed."""
    own, signer = PrivateKey.generate(), PrivateKey.generate()
    keosd = Keosd("http://127.0.0.1:8900")
    store = KeyStore(tmp_path / "keys", keosd)
    store.adopt("alice", key=keosd.key(own.public), signer=keosd.key(signer.public))
    store.make(["alice", "bob"], ["alice"])
    store = KeyStore(tmp_path / "keys", keosd)
    assert (store.account_key("alice"), store.signer_key("alice")) == (own.public, signer.public)
    assert store.key("alice") == keosd.key(own.public)
    assert store.signers("alice")[0] == keosd.key(signer.public)
    assert set(store.in_keosd) == {own.public, signer.public}
    assert set(private_keys(tmp_path / "keys")) == {IN_KEOSD, store.private("bob").wif}
    with pytest.raises(KeyError, match="keosd has the key of alice"):
        store.private("alice")
    with pytest.raises(KeyStoreError, match="has another key of alice"):
        store.adopt("alice", key=PrivateKey.generate())
    with pytest.raises(KeyStoreError, match="name its address"):
        KeyStore(tmp_path / "keys").key("alice")


def test_a_key_moves_to_keosd_and_back(tmp_path: Path) -> None:
    """The last setting decides: a key given to keosd is in no file, and one given as a file needs no keosd."""
    own, signer = PrivateKey.generate(), PrivateKey.generate()
    keosd = Keosd("http://127.0.0.1:8900")
    store = KeyStore(tmp_path / "keys", keosd)
    store.adopt("alice", key=own, signer=signer)
    assert (store.key("alice"), store.signers("alice")[0]) == (own, signer)
    store.adopt("alice", key=keosd.key(own.public), signer=keosd.key(signer.public))
    assert set(private_keys(tmp_path / "keys")) == {IN_KEOSD}
    assert (store.key("alice"), store.signers("alice")[0]) == (keosd.key(own.public), keosd.key(signer.public))
    store.adopt("alice", key=own, signer=signer)
    store = KeyStore(tmp_path / "keys")
    assert (store.key("alice"), store.signers("alice")[0], store.in_keosd) == (own, signer, ())


def test_a_name_that_is_none_gets_no_key(tmp_path: Path) -> None:
    """Names come from the coordinator: a bad one is refused, and nothing is written."""
    store = KeyStore(tmp_path / "keys")
    with pytest.raises(BadName):
        store.make(["useraaaaaaaa", "../../etc"])
    assert not store.accounts_file.exists()


def test_an_accounts_json_is_taken_over(tmp_path: Path) -> None:
    """The imported keys become the accounts', in either text form; the same file again changes nothing."""
    user, producer = pair("useraaaaaaaa"), pair("defproducera")
    modern = PrivateKey.parse(producer["pvt"])
    rows = [{"name": "defproducera", "pub": modern.public.modern, "pvt": modern.modern}]
    path = write(tmp_path / "accounts.json", [user], rows)
    store = KeyStore(tmp_path / "keys")
    for _ in range(2):
        users, producers = store.import_accounts(str(path))
        assert {name: str(key) for name, key in users.items()} == {"useraaaaaaaa": user["pub"]}
        assert {name: str(key) for name, key in producers.items()} == {"defproducera": producer["pub"]}
    assert store.private("defproducera") == modern


def test_an_import_never_replaces_a_key(tmp_path: Path) -> None:
    """A file with another key for a known account is refused as a whole."""
    store = KeyStore(tmp_path / "keys")
    key = store.account_key("useraaaaaaaa")
    path = write(tmp_path / "accounts.json", [pair("useraaaaaaab"), pair("useraaaaaaaa")])
    with pytest.raises(KeyStoreError, match="useraaaaaaaa has another key"):
        store.import_accounts(path)
    assert store.account_key("useraaaaaaaa") == key
    with pytest.raises(KeyError):
        store.private("useraaaaaaab")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"users": [\n {"name": 3,,}]}', "line 2: not JSON"),
        ("[]", "not an accounts.json"),
        ("\x00\xff", "not JSON"),
        ('{"users": {}}', "users: a list is expected"),
        ('{"users": [{"name": "a"}]}', r'users\[0\]: "name", "pub" and "pvt" are expected'),
        ('{"users": [{"name": "a", "pub": 1, "pvt": 2}]}', r"users\[0\]"),
        ('{"users": ["a"]}', r"users\[0\]"),
        ('{"users": [{"name": "Bad", "pub": "", "pvt": ""}]}', r"users\[0\]: name 'Bad'"),
        ('{"producers": [{"name": "a", "pub": "EOSxx", "pvt": "5xx"}]}', r"producers\[0\] \(a\): public key"),
    ],
)
def test_a_bad_file_says_where(tmp_path: Path, text: str, message: str) -> None:
    """Each mistake of an accounts.json is one line that names the line or the entry."""
    path = tmp_path / "accounts.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(KeyStoreError, match=message) as caught:
        KeyStore(tmp_path / "keys").import_accounts(path)
    assert "\n" not in str(caught.value)


def test_wrong_pairs_and_doubles_are_refused(tmp_path: Path) -> None:
    """A public key of another pair, and a name that comes twice, are named by entry; no secret is repeated."""
    store, one, two = KeyStore(tmp_path / "keys"), pair("useraaaaaaaa"), pair("useraaaaaaab")
    with pytest.raises(
        KeyStoreError, match=r"users\[1\] \(useraaaaaaab\): pub and pvt do not belong together"
    ) as caught:
        store.import_accounts(write(tmp_path / "a.json", [one, two | {"pub": one["pub"]}]))
    assert two["pvt"] not in str(caught.value)
    with pytest.raises(KeyStoreError, match=r"producers\[0\]: useraaaaaaaa is there already as users\[0\]"):
        store.import_accounts(write(tmp_path / "b.json", [one], [one]))
    with pytest.raises(KeyStoreError, match="no such file"):
        store.import_accounts(tmp_path / "none.json")


def test_a_successor_signs_beside_the_current_key_until_it_is_kept(tmp_path: Path) -> None:
    """It is made once, on disk before anybody hears of it; afterwards the earlier key is in no file."""
    store = KeyStore(tmp_path / "keys")
    first = store.signer_key("prod")
    second = store.succeed("prod")
    assert store.succeed("prod") == second != first
    again = KeyStore(tmp_path / "keys")
    assert again.signer_keys("prod") == (first, second)
    assert [key.public for key in again.signers("prod")] == [first, second]
    assert again.prove(second, "prod", Challenge("net", "", b""))
    with pytest.raises(KeyStoreError, match="no block-signing key"):
        again.keep_signer("prod", PrivateKey.generate().public)
    secret = json.loads((tmp_path / "keys" / "signing.json").read_text())["producers"][0]["pvt"]
    again.keep_signer("prod", second)
    assert KeyStore(tmp_path / "keys").signer_keys("prod") == (second,)
    assert not any(secret in path.read_text() for path in (tmp_path / "keys").iterdir())


def test_a_producers_first_key_needs_none_to_succeed(tmp_path: Path) -> None:
    """On a host that has none yet, the successor is the key; removed altogether, none is left."""
    store = KeyStore(tmp_path / "keys")
    key = store.succeed("prod")
    assert store.signer_keys("prod") == (key,)
    store.keep_signer("prod", None)
    assert store.signer_keys("prod") == KeyStore(tmp_path / "keys").signer_keys("prod") == ()


def test_a_crash_between_two_files_leaves_one_key(tmp_path: Path) -> None:
    """The current key is written first: a successor that is current already is none."""
    store = KeyStore(tmp_path / "keys")
    store.make([], ["prod"])
    second = store.succeed("prod")
    before = (tmp_path / "keys" / "successors.json").read_bytes()
    store.keep_signer("prod", second)
    (tmp_path / "keys" / "successors.json").write_bytes(before)
    assert KeyStore(tmp_path / "keys").signer_keys("prod") == (second,)


def test_neither_eosio_nor_keosd_gets_a_made_successor(tmp_path: Path) -> None:
    """Each with a line that says what to do."""
    store = KeyStore(tmp_path / "keys", Keosd("http://127.0.0.1:1"))
    with pytest.raises(KeyStoreError, match="genesis block"):
        store.succeed("eosio")
    elsewhere = Keosd("http://127.0.0.1:1").key(PrivateKey.generate().public)
    store.adopt("prod", signer=elsewhere)
    with pytest.raises(KeyStoreError, match="agent rotate --producer-key EOS"):
        store.succeed("prod")
    given = Keosd("http://127.0.0.1:1").key(PrivateKey.generate().public)
    assert store.succeed("prod", given) == given.public
    assert set(store.in_keosd) == {elsewhere.public, given.public}
