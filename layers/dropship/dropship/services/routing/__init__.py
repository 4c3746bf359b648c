"""Which purchase orders of an order are to be placed."""
