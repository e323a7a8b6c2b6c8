"""What Prometheus and Grafana need to watch a network: a scrape file, alert rules, a dashboard. Pure."""
