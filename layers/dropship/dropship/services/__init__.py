"""Use cases: each takes a message, loads, lets the domain decide, saves, and calls out. Every step may be repeated."""
