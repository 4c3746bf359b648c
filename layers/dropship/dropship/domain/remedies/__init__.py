"""After-sales: cases of refunds and returns."""
