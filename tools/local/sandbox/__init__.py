"""The partner sandbox: plays shops, suppliers and trackers with their real API contracts, only on this machine."""
