"""Requests into HTTP and answers into images. Knows nothing of the store, of pages or of our other packages."""
