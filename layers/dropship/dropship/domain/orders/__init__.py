"""The order: one aggregate with its purchase orders and parcels, and all rules for them."""
