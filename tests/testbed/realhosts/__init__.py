"""Real hosts for tests: systemd-nspawn containers on overlays of one Debian base, joined by one bridge.

cli          the verbs of `hosts`                 machine   a host's life: made, started, rebooted, killed, removed
settings     names, addresses, the state folder   network   bridge, links, name spaces, firewall
capability   can this machine do it               process   processes, safe against reused pids
base         the Debian base image                access    SSH keys and known_hosts
limits       kernel limits that hosts share       client    `hosts` as a class, for tests

Only the standard library is used, so that it runs before anything is installed.
"""
