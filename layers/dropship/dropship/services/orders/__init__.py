"""What the inbox brings: orders, clocks that ran out, and requests of ops people."""
