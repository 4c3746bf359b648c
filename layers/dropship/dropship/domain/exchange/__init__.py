"""What partners are told and tell us, in our words: marketplaces, suppliers, trackers."""
