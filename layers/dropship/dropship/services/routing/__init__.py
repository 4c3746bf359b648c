"""Which purchase orders of an order have to be placed."""
