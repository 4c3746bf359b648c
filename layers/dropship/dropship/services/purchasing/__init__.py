"""Purchase orders: placing them, taking them back, and what suppliers tell about them."""
