"""What connects: the server that agents dial, one link per agent, the register of who may, and the network's CA.

Begin with `hub.py`. Nothing here knows parties: what answers them is handed in.
"""
