"""Daifa (代发), drop-ship fulfilment: `domain` decides, `services` use it, `adapters` reach the world."""
