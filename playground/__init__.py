"""Runs: planned, priced, carried out, stored and recovered here, whichever door they come through."""
