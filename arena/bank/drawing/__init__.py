"""Draws the bank's source images from nothing: no photograph, no model, no download.

`solids`, `materials` and `tracing` make pictures of things in light, `canvas` makes flat drawings, `noise` gives both their
grain. What can be drawn is listed in `gallery`; the app never draws, it ships the files.
"""
