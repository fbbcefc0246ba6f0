"""What a review says, for a terminal, a pull request, a browser and programs."""
