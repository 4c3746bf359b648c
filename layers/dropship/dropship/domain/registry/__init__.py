"""Connections and offers as the registry keeps them."""
