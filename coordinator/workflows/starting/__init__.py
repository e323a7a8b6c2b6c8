"""What a boot does before its steps: looks ahead, collects keys and clocks, and restarts what ran before."""
