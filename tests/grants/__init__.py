"""Least privilege: every grant of the template is used, every call is granted, and without any one grant work fails."""
