"""What ops people see and ask for."""
