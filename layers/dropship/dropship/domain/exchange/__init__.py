"""What we and our partners (marketplaces, suppliers, trackers) tell each other, in the domain's terms."""
