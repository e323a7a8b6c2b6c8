"""What a user is shown: progress during a boot, the status, the summary at the end, and the audit."""
