"""Least privilege: every grant of the template is used, every call is granted, and no grant can be taken away."""
