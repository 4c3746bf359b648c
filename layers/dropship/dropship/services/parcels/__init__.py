"""Parcels: followed by trackers, told to marketplaces."""
