"""The partner sandbox: plays marketplace, supplier and carrier over their real wire contracts, on this machine only."""
