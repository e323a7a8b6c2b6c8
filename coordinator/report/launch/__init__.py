"""The report of a launch: what was booted, by whom, how it went, and what the audit found."""
