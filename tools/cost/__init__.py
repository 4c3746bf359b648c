"""What an order costs on AWS, from the calls that were really made: billed units, usage, dollars."""
