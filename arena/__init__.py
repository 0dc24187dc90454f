"""Blind battles, votes and ratings. Knows nothing of pages; the rating files are pure and know nothing of the store."""
