"""What can be seen of a network: status, progress, page, metrics, audit and report. Changes nothing."""
