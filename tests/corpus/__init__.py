"""Bad input: one file for each case with what has to become of it, run through the real handlers."""
