"""Which supplier ships what."""
