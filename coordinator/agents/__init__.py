"""Connections to agents: the server that they dial, one link per agent, the register of agents, and the network's CA.

Begin with `hub.py`. Nothing here knows about parties: the handler that answers them is passed in.
"""
