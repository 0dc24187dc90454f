"""One module for each tab; each offers `build(app)`, called inside its tab, and `wire(page, app, tabs)`."""
