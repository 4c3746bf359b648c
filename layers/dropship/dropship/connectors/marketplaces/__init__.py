"""Connectors to marketplaces, one file each."""
