"""Rating maths: votes in, boards out. Pure: knows numpy and its own modules only."""
