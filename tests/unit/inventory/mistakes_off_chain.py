"""Mistakes in an inventory's sections about machines: topology, hosts, nodes, coordinator, parties."""

from __future__ import annotations

HOSTS = '[[hosts]]\nname = "h1"\nlocal = true\n'

OFF_CHAIN: dict[str, tuple[str, str]] = {
    "topology": ('[topology]\nkind = "cube"', "topology.kind: 'cube' is not one of mesh, ring, star, random, custom"),
    "degree": ("[topology]\ndegree = 1", "topology.degree: 1 is less than 2"),
    "self": ('[topology]\nedges = [["genesis", "genesis"]]', "topology.edges[0]: genesis is linked to itself"),
    "unknown peer": ('[topology]\nedges = [["genesis", "bp9"]]', "topology.edges[0]: there is no node 'bp9'"),
    "parted": (
        '[producers]\ncount = 2\n[topology]\nedges = [["genesis", "defproducera"]]',
        "topology.edges: the nodes are not all connected: defproducera, genesis | defproducerb; add edges",
    ),
    "edges of a mesh": (
        '[topology]\nkind = "mesh"\nedges = [["genesis", "defproducera"]]',
        "topology.edges: is for a custom",
    ),
    "host twice": (HOSTS + HOSTS, "hosts[1].name: h1 is listed twice"),
    "metrics of a nodeos that has none": (
        "[nodeos]\nprometheus = true",
        "nodeos.prometheus: the bundled nodeos has no prometheus_plugin",
    ),
    "metrics nowhere": (
        '[[hosts]]\nname = "h1"\nlocal = true\nmetrics = "9101"',
        "hosts[0].metrics: '9101' is not HOST:PORT",
    ),
    "metrics on a free port": (
        '[[hosts]]\nname = "h1"\nlocal = true\nmetrics = "127.0.0.1:0"',
        "hosts[0].metrics: others cannot know which port 0 stands for",
    ),
    "metrics on a node's port": (
        '[[hosts]]\nname = "h1"\nlocal = true\nmetrics = "127.0.0.1:8888"',
        "hosts[0].metrics: port 8888 is taken by node",
    ),
    "no address": ('[[hosts]]\nname = "h1"', "hosts[0].address: is missing"),
    "bad IP": (
        '[[hosts]]\nname = "h1"\naddress = "10.0.0.256"',
        "hosts[0].address: '10.0.0.256' is neither an IP address nor",
    ),
    "bad DNS": (
        '[[hosts]]\nname = "h1"\naddress = "a b"',
        "hosts[0].address: 'a b' is neither an IP address nor a DNS name",
    ),
    "option as address": (
        '[[hosts]]\nname = "h1"\naddress = "-oProxyCommand=x"',
        "hosts[0].address: '-oProxyCommand=x' is",
    ),
    "user": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nuser = "a;b"',
        "hosts[0].user: 'a;b' is not a valid name for a Unix user",
    ),
    "mistyped address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "10.0.0.300"',
        "hosts[0].ssh.address: '10.0.0.300' is neither an IP address nor a name",
    ),
    "brackets around the address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "[::1]"',
        "hosts[0].ssh.address: '[::1]' has brackets: write the IPv6 address without them",
    ),
    "option in place of the address of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.address = "-oProxyCommand=x"',
        "hosts[0].ssh.address: '-oProxyCommand=x' is neither",
    ),
    "user of ssh": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.user = "-oProxyCommand=x"',
        "hosts[0].ssh.user: '-oProxyCommand=x' is not a valid user name",
    ),
    "data": (HOSTS + 'data = "/var/../etc"', "hosts[0].data: '/var/../etc' is not an absolute path"),
    "the root as data": (HOSTS + 'data = "/"', "hosts[0].data: '/' is not an absolute path"),
    "root as user": (HOSTS + 'user = "root"', "hosts[0].user: agent and nodes never run as root"),
    "local with ssh": (HOSTS + "ssh.port = 22", "hosts[0].ssh: a local host needs no SSH"),
    "fingerprint": (
        '[ssh]\nfingerprint = "MD5:00"\n[[hosts]]\nname = "h1"\naddress = "a.b"',
        "ssh.fingerprint: 'MD5:00' is not a fingerprint",
    ),
    "policy": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.host_key = "no"',
        "hosts[0].ssh.host_key: 'no' is neither strict",
    ),
    "sudo": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\nssh.sudo = "yes"',
        "hosts[0].ssh.sudo: 'yes' is not one of none,",
    ),
    "jump": (
        '[[hosts]]\nname = "h1"\naddress = "a.b"\n[hosts.ssh.jump]\naddress = ""',
        "hosts[0].ssh.jump.address: '' is neither",
    ),
    "port": ('[[nodes]]\naccount = "defproducera"\np2p_port = 70000', "nodes[0].p2p_port: 70000 is not a port"),
    "port taken": (
        '[[nodes]]\naccount = "defproducera"\np2p_port = 9000\n[[nodes]]\naccount = "defproducerb"\nhttp_port = 9000',
        'nodes[1].http_port: 9000 is taken by node "defproducera"; give each node of a host its own port',
    ),
    "node's host": (
        '[[nodes]]\naccount = "defproducera"\nhost = "h9"',
        "nodes[0].host: there is no host 'h9'; known: local",
    ),
    "node's account": ('[[nodes]]\naccount = "bob"', "nodes[0].account: bob is not a producer of this network"),
    "two signers": (
        '[[nodes]]\naccount = "defproducera"\n[[nodes]]\nname = "b"\naccount = "defproducera"',
        'nodes[1].account: node "defproducera" already signs for defproducera',
    ),
    "two genesis": (
        '[[nodes]]\nrole = "genesis"\n[[nodes]]\nname = "g"\nrole = "genesis"',
        'nodes[1].account: node "genesis" already signs for eosio',
    ),
    "node's name": (
        '[[nodes]]\nname = "defproducera"\nrole = "full"',
        (
            "producers.count: the node name defproducera is taken by nodes[0]; rename one of them, "
            'or write account = "defproducera" in nodes if that is the node'
        ),
    ),
    "genesis' name": (
        '[[nodes]]\nname = "genesis"',
        (
            "nodes[0].name: the node name genesis is taken by nodes; rename one of them, "
            'or write role = "genesis" in nodes if that is the node'
        ),
    ),
    "two nodes' name": (
        '[[nodes]]\nname = "f"\nrole = "full"\n[[nodes]]\nname = "f"\nrole = "full"',
        "nodes[1].name: the node name f is taken by nodes[0]; rename one of them",
    ),
    "nameless": ('[[nodes]]\nrole = "full"', "nodes[0].name: is missing; a node without an account needs a name"),
    "role": (
        '[[nodes]]\nname = "a"\nrole = "boss"',
        "nodes[0].role: 'boss' is not one of genesis, producer, full, api, history, seed",
    ),
    "listen elsewhere": (
        '[coordinator]\nlisten = "203.0.113.5:7000"',
        "coordinator.listen: 203.0.113.5:7000 is not on loopback, where the agents of local dial in",
    ),
    "listen": ('[coordinator]\nlisten = "7000"', "coordinator.listen: '7000' is not HOST:PORT"),
    "genesis before blocks count": (
        '[genesis]\ntimestamp = "1999-12-31T23:59:59.500"',
        "genesis.timestamp: '1999-12-31T23:59:59.500' is not a time since 2000",
    ),
    "one machine twice": (
        '[[hosts]]\nname = "h1"\naddress = "a.example"\n[[hosts]]\nname = "h2"\naddress = "a.example"',
        "hosts[1].address: a.example is the same machine as host 'h1'; list a machine once",
    ),
    "folder of a local host": (
        HOSTS + 'data = "/srv/x"',
        "hosts[0].data: a local host's files are in the state folder",
    ),
    "key with a line break": ('[token]\n"a\\nb" = 1', "token.a\\nb: there is no such key"),
    "too few tokens": (
        '[token]\nissue = "10.0000 SYS"',
        "token.issue: 104 accounts need at least 4100.0000 SYS, and 9.9900 SYS are left after the reserve; issue more",
    ),
    "lonely genesis node of a sponsor": (
        '[parties]\nsponsor = "s"\n[producers]\ncount = 2\n'
        + "".join(f'[[hosts]]\nname = "h{n}"\naddress = "h{n}.example"\n' for n in (1, 2, 3)),
        "parties.sponsor: the genesis node is the only one on host 'h1', and accepts no transactions",
    ),
    "advertise": (
        '[coordinator]\nadvertise = "a b"',
        "coordinator.advertise: 'a b' is neither an IP address nor a DNS name",
    ),
}
"""By name: a text that has the mistake, and the line that the user reads."""
