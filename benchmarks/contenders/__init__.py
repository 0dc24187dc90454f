"""Ways to make an image call and keep its file; each module imports nothing that its contender does not need."""
