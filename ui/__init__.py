"""The browser page: tabs, form and results. It turns component values into plans and records into what is shown."""
