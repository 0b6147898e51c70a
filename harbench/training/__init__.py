"""The training room: from a prepared fold, a recipe and a seed to a trained network."""
