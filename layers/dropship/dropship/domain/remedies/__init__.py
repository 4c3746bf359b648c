"""After-sales: refunds, returns, and what follows from them."""
