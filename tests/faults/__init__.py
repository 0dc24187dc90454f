"""What goes wrong: providers, processes, disks and clocks."""
