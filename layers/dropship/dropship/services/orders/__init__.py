"""What the inbox brings: orders, clocks, and wishes of ops people."""
