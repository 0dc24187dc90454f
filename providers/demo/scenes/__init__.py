"""The compositions: what stands where in a picture, by subject. No manner here, that is for the painters."""
