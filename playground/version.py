"""The version of this program, for the About page and whoever reports a fault."""

VERSION = "0.1.0"
