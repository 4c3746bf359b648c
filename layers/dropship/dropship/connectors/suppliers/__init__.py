"""Connectors to suppliers, one file each."""
