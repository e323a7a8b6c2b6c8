"""Mistakes in an inventory's sections about the chain: token, genesis, contracts, accounts, votes."""

from __future__ import annotations

from antelope.features import DIGESTS

HOSTS = '[[hosts]]\nname = "h1"\nlocal = true\n'

ON_CHAIN: dict[str, tuple[str, str]] = {
    # A name of the case: (the file, a line of the error without the file's name)
    "unknown section": ("[tokn]", "tokn: there is no such key; did you mean token?"),
    "unknown key": ('[token]\nsymbl = "4,SYS"', "token.symbl: there is no such key; did you mean symbol?"),
    "unknown key in a list": (HOSTS + "adress = 1", "hosts[0].adress: there is no such key; did you mean address?"),
    "text for a number": ('[users]\ncount = "5"', "users.count: expected an integer, not a string"),
    "truth for a number": ("[users]\ncount = true", "users.count: expected an integer, not true or false"),
    "fraction for a number": ("[users]\ncount = 1.5", "users.count: expected an integer, not a number"),
    "number for a text": ("[token]\nsymbol = 4", "token.symbol: expected a string, not an integer"),
    "text for a list": ('[votes]\nproxies = "abc"', "votes.proxies: expected a list, not a string"),
    "list for a table": ("[[token]]", "token: expected a table, not a list"),
    "control character": ('[ssh]\nuser = "a\\nb"', "ssh.user: 'a\\nb' contains a control character; remove it"),
    "network name": ('[network]\nname = "../x"', "network.name: '../x' is not 1 to 32"),
    "symbol": ('[token]\nsymbol = "4,sys"', "token.symbol: '4,sys' is not a symbol like '4,SYS'"),
    "precision": ('[token]\nissue = "1.00 SYS"', "token.issue: '1.00 SYS' has symbol 2,SYS, expected 4,SYS"),
    "negative": ('[stake]\nram = "-1.0000 SYS"', "stake.ram: -1.0000 SYS is negative"),
    "supply": ('[token]\nissue = "10000000000.0001 SYS"', "token.issue: is more than token.max_supply"),
    "reserve": ('[token]\nreserve = "1000000000.0001 SYS"', "token.reserve: is more than token.issue"),
    "too many decimals": (
        '[token]\nsymbol = "18,SYS"',
        (
            "token.max_supply: its default is more than the 4.611686018427387903 SYS that there can be; write it, or "
            "give token.symbol 8 decimals at most"
        ),
    ),
    "too many decimals for producers": (
        '[token]\nsymbol = "18,SYS"\nmax_supply = "4.000000000000000000 SYS"\nissue = "4.000000000000000000 SYS"',
        "producers.minimum: its default is more than the 4.611686018427387903 SYS that there can be; write it, or",
    ),
    "default issue": (
        '[token]\nmax_supply = "1000.0000 SYS"',
        "token.issue: its default of one billion tokens is more than token.max_supply; write it",
    ),
    "no decimals for a stake": (
        '[token]\nsymbol = "0,SYS"',
        "stake.ram: its default is less than one token, which is zero; the smallest amount is 1 SYS",
    ),
    "digest": (
        f'[system]\nfeatures = ["PREACTIVATE_FEATURE", "{DIGESTS["GET_SENDER"].upper()}"]',
        "system.features[1]: is a digest, but features are listed by name here; write GET_SENDER",
    ),
    "unknown digest": (
        f'[system]\nfeatures = ["PREACTIVATE_FEATURE", "{"ab" * 32}"]',
        "system.features[1]: is a digest, but features are listed by name here; write the feature's name",
    ),
    "first digest": (
        f'[system]\nfeatures = ["{DIGESTS["PREACTIVATE_FEATURE"]}"]',
        "system.features[0]: is a digest, but features are listed by name here; write PREACTIVATE_FEATURE",
    ),
    "small state": (
        "[nodeos]\noptions = { chain-state-db-size-mb = 64 }",
        (
            "nodeos.options.chain-state-db-size-mb: 64 is too small: nodeos ends when less than 128 MiB of it are free "
            "(chain-state-db-guard-size-mb); write 160 or more; bootcoord's own is 1024"
        ),
    ),
    "a chain that could not be restarted": (
        "[nodeos]\noptions = { max-irreversible-block-age = 3600 }",
        (
            "nodeos.options.max-irreversible-block-age: after an outage longer than that, no producer "
            "may make a block again; remove it; nodeos' own is -1, no limit"
        ),
    ),
    "large guard": (
        (
            '[nodeos]\noptions = { chain-state-db-size-mb = 512 }\n[[nodes]]\nrole = "full"\nname = "f"\n'
            "options = { chain-state-db-guard-size-mb = 512 }"
        ),
        "nodes[0].options.chain-state-db-size-mb: 512 is too small: nodeos ends when less than 512 MiB",
    ),
    "large guard alone": (
        "[nodeos]\noptions = { chain-state-db-guard-size-mb = 2048 }",
        "nodeos.options.chain-state-db-size-mb: 1024 is too small: nodeos ends when less than 2048 MiB",
    ),
    "comment in a value": (
        '[nodeos]\noptions = { agent-name = "BP #1" }',
        "nodeos.options.agent-name: 'BP #1' is not 1 to 200 letters, digits, spaces and ._:,+@/*-, as config.ini takes",
    ),
    "empty value": (
        '[nodeos]\noptions = { agent-name = "" }',
        "nodeos.options.agent-name: '' is not 1 to 200 letters, digits",
    ),
    "genesis value": (
        "[genesis.configuration]\nmax_block = 1",
        "genesis.configuration.max_block: nodeos has no such setting",
    ),
    "genesis limit": (
        "[genesis.configuration]\nmax_transaction_cpu_usage = 200000",
        "genesis.configuration: max_transaction_cpu_usage 200000 is not below",
    ),
    "genesis time": (
        '[genesis]\ntimestamp = "2026-02-30T00:00:00"',
        "genesis.timestamp: '2026-02-30T00:00:00' is not a time",
    ),
    "genesis decimals": (
        '[genesis]\ntimestamp = "2026-02-03T00:00:00.2501"',
        "genesis.timestamp: '2026-02-03T00:00:00.2501' is not a time since 2000 with three decimals at most",
    ),
    "genesis key": ('[genesis]\ninitial_key = "EOS1234"', "genesis.initial_key: public key 'EOS1234'"),
    "plugin option": ('[nodeos]\noptions = { plugin = "x" }', "nodeos.options.plugin: is not among the nodeos options"),
    "option's kind": (
        "[nodeos]\noptions = { max-clients = [1] }",
        "nodeos.options.max-clients: expected a string, an integer",
    ),
    "nodeos path": ('[nodeos]\npath = "nodeos"', "nodeos.path: 'nodeos' is not an absolute path"),
    "nodeos shell": ('[nodeos]\npath = "/x/$(touch X)"', "nodeos.path: '/x/$(touch X)' is not an absolute path"),
    "contract folder": ('[contracts]\ndirectory = "none"', "contracts.directory: "),
    "contract file": ('[contracts.boot]\nwasm = "a.wasm"\nabi = "a.abi"', "contracts.boot.wasm: "),
    "half a contract": (
        '[[contracts.list]]\naccount = "eosio"\nwasm = "a"',
        "contracts.list[0]: wasm and abi belong together",
    ),
    "no such contract": (
        '[[contracts.list]]\naccount = "eosio.foo"',
        "contracts.list[0]: no contract for eosio.foo is bundled",
    ),
    "user contract": (
        '[[contracts.list]]\naccount = "alice"',
        "contracts.list[0]: no contract for alice is bundled or in contracts.directory; write its wasm and abi",
    ),
    "a user's contract": (
        '[[contracts.list]]\naccount = "useraaaaaaaa"',
        "contracts.list[0].account: useraaaaaaaa is also a user, a producer or the sponsor; rename one",
    ),
    "nodeos' account": (
        '[[contracts.list]]\naccount = "eosio.prods"',
        "contracts.list[0].account: 'eosio.prods' is nodeos' own, and takes no contract",
    ),
    "nodeos' system account": (
        '[system]\naccounts = ["eosio.null"]',
        "system.accounts[0]: 'eosio.null' is nodeos' own, and takes no contract",
    ),
    "no privileges": (
        '[[contracts.list]]\naccount = "eosio.msig"\nprivileged = false',
        "contracts.list[0].privileged: eosio.msig cannot work without privileges; remove it",
    ),
    "no preactivation": ('[system]\nfeatures = ["GET_SENDER"]', "system.features: lacks PREACTIVATE_FEATURE"),
    "system account": ('[system]\naccounts = ["alice"]', "system.accounts[0]: 'alice' does not begin with 'eosio.'"),
    "alpha": ("[users]\nalpha = nan", "users.alpha: nan is not between"),
    "two sources": ('[users]\ncsv = "a"\naccounts_json = "b"', "users: csv and accounts_json cannot both be set"),
    "no csv": ('[users]\ncsv = "a.csv"', "users.csv: "),
    "no accounts_json": ('[users]\naccounts_json = "a.json"', "users.accounts_json: "),
    "elected": ("[producers]\ncount = 22\nelected = 22", "producers.elected: 22 is not between 1 and 21"),
    "elected of few": ("[producers]\ncount = 2\nelected = 3", "producers.elected: 3 are to be elected, and 2 register"),
    "nobody, and one elected": ("[producers]\ncount = 0\nelected = 1", "producers.count: nobody can be elected"),
    "nobody": ("[producers]\ncount = 0", "producers.count: nobody can be elected; write 1 or more"),
    "producer's name": (
        '[[producers.list]]\naccount = "eosio.bp"',
        "producers.list[0].account: 'eosio.bp' is reserved for the",
    ),
    "producer eosio": (
        '[[producers.list]]\naccount = "eosio"',
        "producers.list[0].account: 'eosio' is reserved for the system",
    ),
    "bad name": ('[[producers.list]]\naccount = "Alice"', "producers.list[0].account: name 'Alice' contains 'A'"),
    "long name": (
        '[[producers.list]]\naccount = "alicealicealice"',
        "producers.list[0].account: name 'alicealicealice'",
    ),
    "twice": (
        '[[producers.list]]\naccount = "a"\n[[producers.list]]\naccount = "a"',
        "producers.list[1].account: producer a",
    ),
    "user and producer": ('[[producers.list]]\naccount = "useraaaaaaab"', "producers: useraaaaaaab is also a user"),
    "elected, no node": (
        '[[producers.list]]\naccount = "a"\nnode = false',
        "producers.list[0].node: a is to be elected",
    ),
    "producer's host": (
        '[[producers.list]]\naccount = "a"\nhost = "h9"',
        "producers.list[0].host: there is no host 'h9'",
    ),
    "poor producer": (
        '[producers]\nminimum = "0.5000 SYS"',
        "producers.minimum: 0.5000 SYS does not cover RAM and the minimum stake",
    ),
    "unknown vote": (
        '[[votes.vote]]\nvoter = "defproducera"\nproducers = ["bob"]',
        "votes.vote[0].producers[0]: bob is not a producer of this network",
    ),
    "unknown voter": (
        '[[votes.vote]]\nvoter = "bob"\nproducers = ["defproducera"]',
        "votes.vote[0].voter: bob is neither",
    ),
    "vote for many": (
        '[producers]\ncount = 31\n[[votes.vote]]\nvoter = "defproducera"\nproducers = ['
        + ", ".join(f'"p{n}"' for n in range(31))
        + "]",
        "votes.vote[0].producers: has 31 producers; the contract accepts at most 30",
    ),
    "no proxy": (
        '[[votes.vote]]\nvoter = "defproducera"\nproxy = "defproducerb"',
        "votes.vote[0].proxy: defproducerb is not a registered proxy; list it in votes.proxies",
    ),
    "empty vote": (
        '[[votes.vote]]\nvoter = "defproducera"',
        "votes.vote[0]: a vote is either for producers or through a proxy",
    ),
    "too many voters": ("[users]\ncount = 5\n[votes]\nvoters = 6", "votes.voters: 6 is more than the 5 users"),
    "below the threshold": ("[votes]\nvoters = 0", "votes: stake of 0.0000 SYS votes, and no election happens below"),
    "not the elected": (
        '[[votes.vote]]\nvoter = "useraaaaaaaa"\nproducers = ["defproducera"]\n[votes]\nvoters = 1\n',
        "votes: they do not elect exactly the 4 of producers.elected: defproducerb, defproducerc, defproducerd differ",
    ),
    "dear RAM": ('[stake]\nram = "0.0100 SYS"', "stake.ram: 0.0100 SYS buys useraaaaaaaa "),
    "no reserve": ('[token]\nreserve = "0.0000 SYS"', "token.reserve: 0.0000 SYS does not buy eosio 65536 bytes"),
}
"""By name: a text that has the mistake, and the line that the user reads."""
