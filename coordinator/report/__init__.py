"""What a user is shown: progress while it happens, the status at a moment, the summary at the end, the audit."""
