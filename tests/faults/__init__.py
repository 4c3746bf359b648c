"""The fault programme: what must hold whatever goes wrong, and the machinery that makes it go wrong."""
