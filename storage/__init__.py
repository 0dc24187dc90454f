"""Rows and bytes: the database of runs, costs, battles and votes, and the files of images beside it.

The package knows nothing of providers or pages. `database.Store` is its door; the other files hold functions that take
an open database first and turn records into rows and back.
"""
