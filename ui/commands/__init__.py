"""The commands: one module each, loaded when it is asked for, so that none waits for what another needs."""
