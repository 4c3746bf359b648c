"""The order: one aggregate with its purchase orders and parcels, and all the rules of its life."""
