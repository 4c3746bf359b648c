"""Connectors to tracking services, one file each."""
