"""Connectors to carriers, one file each."""
