"""After-sales cases and their workflow."""
